// Text that was read from bytes, made safe for one line of a terminal: control characters and line ends are shown as
// escapes, so that a damaged or hostile name neither breaks a line nor moves a cursor.

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** `text` with escapes such as `\u000a`; cut where it is longer than `charactersMax`. */
export function printable(text: string, charactersMax = 300): string {
  const cut = text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}…`;
  return cut.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
