// ProtocolViolation: what is said when bytes or a message from the other side break the protocol. It is a value
// (parsers return it); the connection that meets one closes itself and hands it to its owner. Names which side did what.

/** `<side> <did what>`, e.g. `TaskManager w1 sent a frame of 80000000 bytes; the limit is 67108864`. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
  /** Who broke the protocol. */
  readonly side: string;

  constructor(side: string, did: string) {
    super(`${side} ${did}`);
    this.side = side;
  }
}
