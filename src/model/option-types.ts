// What a configuration option is: type, default and one line of what it does.

export type OptionType =
  | { readonly kind: 'duration' }
  | { readonly kind: 'size' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'text' }
  | { readonly kind: 'integer'; readonly min: number; readonly max?: number }
  | { readonly kind: 'factor'; readonly min: number; readonly max?: number }
  /** `aliases`: other spellings that Flink takes. */
  | {
      readonly kind: 'enum';
      readonly values: readonly string[];
      readonly aliases?: Readonly<Record<string, string>>;
    };

export interface OptionDefinition {
  readonly type: OptionType;
  /** As a user would write it; null: not set. */
  readonly default: string | null;
  readonly description: string;
}

export function option(type: OptionType, defaultText: string | null, description: string): OptionDefinition {
  return { type, default: defaultText, description };
}
