declare const senderPattern: unique symbol;

/** A sender address in lower case in which `*` stands for anything and `?` for one character. */
export type SenderPattern = string & { readonly [senderPattern]: true };

/** Blanks and `#` mean something in SpamAssassin's configuration, backslashes and commas in its log. */
const PATTERN = /^[a-z0-9.!$%&'*+/=?^_{|}~-]{1,64}@[a-z0-9.*?-]{1,255}$/;

/** Null unless the text is one address or a pattern of addresses. */
export function parseSenderPattern(text: string): SenderPattern | null {
  const lower = text.toLowerCase();
  return PATTERN.test(lower) ? (lower as SenderPattern) : null;
}
