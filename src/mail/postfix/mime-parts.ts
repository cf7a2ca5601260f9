import { MOST_EXTRA_BYTES } from "../../core/decide/mail.ts";

/** Room for all boundaries of a mail: they nest, and one has at most 70 characters (RFC 2046, 5.1.1). */
const MOST_BOUNDARY_BYTES = 64 * 1024;
/** No more than this is read of a field or delimiter. */
const MOST_LINE_BYTES = 4 * 1024;
/** Honest types are far shorter. */
const MOST_TYPE_BYTES = 2_000;
const BOUNDARY = /boundary\s*=\s*(?:"([^"]*)"|([^\s;"]+))/gi;
/** A type that every filter reads alike, whatever its parameters. */
const PLAIN_KIND = /^[!#$%&'*+.^_`{|}~0-9a-z-]+\/[!#$%&'*+.^_`{|}~0-9a-z-]+(?=\s*(?:;|$))/i;
/** Encodings that filters do not decode (RFC 2045, 6.2). */
const UNCHANGED = /^(?:7bit|8bit|binary)$/i;
/** Lines that filters may take for delimiters. */
const MOST_LINES = 1_000;
/** The same with messages, and lines that look like fields. Both count once per message, because rspamd reads them again for each. */
const MOST_REPEATED_LINES = 7_000;
const MOST_REPEATED_FIELDS = 60_000;
/** Rspamd takes as long for one byte of a plain mail as for 5 bytes that it reads again (400 MB take 0.7 s). */
const REPEATED_BYTES_PER_BYTE = 5;
/** The depth counts as at least this, because messages that only a delimiter separates are read again too. */
const LEAST_DEPTH = 4;
/** How many plain bytes a repeated field, a parameter byte (0.9 MB in 74 messages: 11 s, 3 GB) or an encoded word (RFC 2047) costs. */
const REPEATED_FIELD_COST_BYTES = 85;
const PARAMETER_BYTE_COST_BYTES = 25;
export const WORD_COST_BYTES = 320;
export const WORD_START = "=?";
/** Maximum messages within each other, without a delimiter between their headers. */
const MOST_DEPTH = 8;
/** Encoded messages of this size hold no more than 2,000 parts. */
const FEW_ENCODED_BYTES = 1_500;
/** This many of each count as a part, because more would cost rspamd seconds and gigabytes. */
const REPEATED_LINES_PER_PART = 300;
const REPEATED_FIELDS_PER_PART = 5_000;
const REPEATED_BYTES_PER_PART = 6_000_000;
const REPEATED_ENCODED_BYTES_PER_PART = 65_000;
/** Fields cost at least as much as in this many messages, even outside any message. */
const MESSAGES_OF_FIELDS = 5;
/** An untyped part of a digest is a message by default, within at most this many others. */
const MOST_DEPTH_OF_DIGEST = 64;
/** SpamAssassin breaks longer lines, and a field may start at the break. */
const MOST_UNBROKEN_BYTES = 2_000;
/** Bytes of costly fields that count as a part: listing a message's recipients costs an IMAP session 60 times their size, of 256 MB. */
const COSTLY_BYTES_PER_PART = 1_500;
/** What matters in a body: fields, lines that start like a delimiter, and empty lines. Some filters find fields within long lines. */
const EDGE = /content-t(?:ype|ransfer-encoding)|\n(?=--|\r?\n)/gi;
/** Longer than the start of any edge. */
const EDGE_BYTES = 32;
const FIELD_NAME = /^[a-z-]+\s*(?::|$)/i;
/** To rspamd a name ends only at ASCII spaces. */
const FIELD_LINE = /\n[^ \t\r\n\f:]+[ \t]*:/g;
/** Patterns for the names of fields that Dovecot parses. A forwarded mail may have 10 KB of other fields, such as results of filters. */
export const COSTLY_FIELDS = ["from", "sender", "reply-to", "to", "bcc", "cc", "content-[a-z-]*"] as const;
/** Where such a field starts. To Dovecot a name ends with a NUL, which Postfix delivers. */
const COSTLY_START = new RegExp(`\\n(?:${COSTLY_FIELDS.join("|")})(?:\\0|[ \\t]{0,20}:|[ \\t]{20})`, "gi");
const FIELD_END = /\n(?![ \t])/g;
const MOST_START_BYTES = 64;

/** The lines since the last empty one. `mayNest`: filters may find parts in what follows. `isEncoded`: they decode it. */
type Header = { isMessage: boolean; mayNest: boolean; isEncoded: boolean };

/**
 * Counts the parts of a MIME message (RFC 2046, 5.1) as it arrives: lines that are delimiters to every filter. Rspamd and SpamAssassin find
 * more, each in its own way: at boundaries in pieces (RFC 2231), at any line with two hyphens where a multipart is not closed, in messages
 * that are encoded (which RFC 2046, 5.2.1 forbids). None of that is imitated here: a mail in which they could find many parts counts as one
 * that may hide parts.
 */
export class MimeParts {
  /** In lower case, because rspamd ignores case. Read as latin1, so that a boundary may contain any byte. */
  readonly #boundaries = new Set<string>();
  #boundaryBytes = 0;
  /** The end of the text so far, which may be the start of a field or delimiter. */
  #rest = "\n";
  /** Bytes of its line before `#rest`. */
  #bytesBefore = 0;
  #header = newHeader();
  /** Whether every filter takes the lines that are being read for a header. */
  #isHeader = true;
  /** Whether parts without a type may be messages (RFC 2046, 5.1.5). */
  #mayBeDigest = false;
  #mayNest = false;
  #isBody = false;
  /** Whether a long line contains another field. */
  #isBroken = false;
  #delimiters = 0;
  /** Lines that start with two hyphens. */
  #hyphenLines = 0;
  /** Headers that may be those of a message: all, those since the last delimiter, and the most between two. */
  #messages = 0;
  #depth = 0;
  #mostDepth = 0;
  #fields = 0;
  #words = 0;
  /** Bytes of the body that have arrived, and that have been read. */
  #bytes = 0;
  #readBytes = 0;
  /** Where the first content in the body starts that filters may decode and find parts in. */
  #encodedAt = Number.POSITIVE_INFINITY;
  /** Bytes of costly fields, wherever they are. */
  #costlyBytes = 0;
  #isCostly = false;
  #parameterBytes = 0;
  #hasParameters = false;
  /** The last bytes, in which a costly field may start. */
  #latest = "\n";

  /** Whether a type in the mail lets filters find parts in it, so that its body must be read. */
  get mayNest(): boolean {
    return this.#mayNest;
  }

  /** Whether a filter may find many parts or header fields in the mail that are not counted. */
  get mayHideParts(): boolean {
    const times = this.#times;
    return (
      this.#isBroken ||
      this.#hyphenLines > MOST_LINES ||
      this.#mostDepth > MOST_DEPTH ||
      (this.#hyphenLines + this.#messages) * times > MOST_REPEATED_LINES ||
      this.weightBytes - this.#bytes > MOST_EXTRA_BYTES ||
      this.#fields * times > MOST_REPEATED_FIELDS ||
      this.#boundaryBytes > MOST_BOUNDARY_BYTES ||
      this.#encodedBytes * times > FEW_ENCODED_BYTES
    );
  }

  /** Lines that equal a declared boundary: parts to every filter. */
  get delimiters(): number {
    return this.#delimiters;
  }

  /** The same, or a higher estimate of the parts that filters may find, or of what the mail may cost. */
  get count(): number {
    const times = this.#times;
    const counts = [
      this.#costlyBytes / COSTLY_BYTES_PER_PART,
      ((this.#hyphenLines + this.#messages) * times) / REPEATED_LINES_PER_PART,
      (this.#fields * Math.max(times, MESSAGES_OF_FIELDS)) / REPEATED_FIELDS_PER_PART,
      // Once for each message and level of depth: to rspamd messages stay open at a delimiter, so each later one is read in all of them.
      (this.#bytes * this.#messages * this.#mostDepth) / REPEATED_BYTES_PER_PART,
      (this.#encodedBytes * this.#mostDepth) / REPEATED_ENCODED_BYTES_PER_PART,
    ];
    return Math.max(this.#delimiters, this.#messages, ...counts.map(Math.floor));
  }

  /** Rspamd takes about as long for it as for a plain mail of this many bytes. */
  get weightBytes(): number {
    const times = this.#times;
    const ofFields = this.#fields * times * REPEATED_FIELD_COST_BYTES;
    const ofParameters = this.#parameterBytes * times * PARAMETER_BYTE_COST_BYTES;
    const ofWords = this.#words * times * WORD_COST_BYTES;
    const repeated = (this.#bytes * this.#messages * Math.max(LEAST_DEPTH, this.#mostDepth)) / REPEATED_BYTES_PER_BYTE;
    return Math.round(Math.max(this.#bytes, repeated, ofFields) + ofParameters + ofWords);
  }

  /** How often rspamd may read the same bytes. */
  get #times(): number {
    return 1 + this.#messages + (this.#mayBeDigest ? Math.min(this.#hyphenLines, MOST_DEPTH_OF_DIGEST) : 0);
  }

  get #encodedBytes(): number {
    return Math.max(0, this.#bytes - this.#encodedAt);
  }

  field(name: string, value: string): void {
    if (name.startsWith("content-type")) this.#readType(value, true);
    else if (name.startsWith("content-transfer-encoding")) this.#readEncoding(value);
  }

  /** The next bytes of the body. Postfix has replaced each bare CR by a space. */
  push(chunk: Buffer): void {
    if (!this.#isBody) this.#endHeader();
    this.#isBody = true;
    const text = chunk.toString("latin1");
    this.#countCostly(text);
    this.#fields += text.match(FIELD_LINE)?.length ?? 0;
    this.#bytes += text.length;
    this.#words += text.split(WORD_START).length - 1;
    const all = this.#rest + text;
    this.#rest = this.#read(all);
    this.#bytesBefore = this.#lineBytes(all.slice(0, all.length - this.#rest.length));
  }

  /** Bytes of the last line of this text, including those that arrived before. */
  #lineBytes(text: string): number {
    const at = text.lastIndexOf("\n");
    return at < 0 ? this.#bytesBefore + text.length : text.length - at - 1;
  }

  /** Returns what must be read again with the next bytes. */
  #read(text: string): string {
    let at = 0;
    for (;;) {
      EDGE.lastIndex = at;
      const found = EDGE.exec(text);
      if (found === null) return text.slice(Math.max(at, text.length - EDGE_BYTES));
      const { index } = found;
      const isField = text[index] !== "\n";
      const end = isField ? endOfField(text, index) : text.indexOf("\n", index + 1);
      const isCut = end < 0 && text.length - index > MOST_LINE_BYTES;
      if (end < 0 && !isCut) return text.slice(Math.max(at, index - 1));
      at = isCut ? text.length : end;
      this.#readBytes = this.#bytes - (text.length - at);
      const line = text.slice(isField ? index : index + 1, at);
      this.#isBroken ||= line.length > MOST_UNBROKEN_BYTES && line.slice(1).search(EDGE) >= 0;
      if (isField) {
        const before = this.#lineBytes(text.slice(0, index));
        // Within a line that SpamAssassin does not break, a field is only text.
        if (before === 0 || before > MOST_UNBROKEN_BYTES) this.#readField(line, this.#isHeader && before === 0);
      } else if (line.startsWith("--")) this.#readDelimiter(line.slice(2).trimEnd().toLowerCase());
      else this.#endHeader();
    }
  }

  #readDelimiter(name: string): void {
    this.#hyphenLines++;
    const isEnd = name.endsWith("--") && this.#boundaries.has(name.slice(0, -2));
    if (!isEnd && !this.#boundaries.has(name)) return;
    this.#delimiters++;
    this.#depth = 0;
    // To a filter that knows other boundaries, the header continues.
    this.#header.isMessage = false;
    this.#isHeader = !isEnd;
  }

  /** Called at an empty line. The header of a message is followed by that of its content. */
  #endHeader(): void {
    this.#isHeader &&= this.#header.isMessage && !this.#header.isEncoded;
    this.#header = newHeader();
  }

  #readField(field: string, isOfHeader: boolean): void {
    const name = FIELD_NAME.exec(field)?.[0];
    // HTML contains such names too, without a colon.
    if (name === undefined) return;
    const value = field.slice(name.length);
    if (/^content-type/i.test(field)) this.#readType(value, isOfHeader);
    else this.#readEncoding(value);
  }

  #readType(value: string, isOfHeader: boolean): void {
    const type = value.trim().slice(0, MOST_TYPE_BYTES);
    const kind = type.length < MOST_TYPE_BYTES ? PLAIN_KIND.exec(type)?.[0] : undefined;
    const mayNest = kind === undefined || /multipart|message|pkcs7-mime/i.test(kind) || /boundary/i.test(type);
    this.#mayNest ||= mayNest;
    this.#mayBeDigest ||= kind === undefined || /digest/i.test(kind);
    if (mayNest && !/^multipart\//i.test(type)) {
      this.#messages++;
      this.#mostDepth = Math.max(this.#mostDepth, ++this.#depth);
    }
    this.#header.isMessage ||= /^message\//i.test(kind ?? "");
    this.#header.mayNest ||= mayNest;
    // Rspamd guesses the encoding of a signed message that names none.
    this.#noteEncoded(/pkcs7-mime/i.test(kind ?? type));
    if (!isOfHeader) return;
    for (const [, quoted, plain = ""] of type.matchAll(BOUNDARY)) {
      const boundary = (quoted ?? plain).trimEnd().toLowerCase();
      if (boundary === "" || this.#boundaries.has(boundary) || this.#boundaryBytes > MOST_BOUNDARY_BYTES) continue;
      this.#boundaries.add(boundary);
      this.#boundaryBytes += boundary.length;
    }
  }

  #readEncoding(value: string): void {
    this.#header.isEncoded ||= !UNCHANGED.test(value.trim());
    this.#noteEncoded();
  }

  #noteEncoded(isSigned = false): void {
    const { mayNest, isEncoded } = this.#header;
    if (isSigned || (isEncoded && (mayNest || this.#mayBeDigest)))
      this.#encodedAt = Math.min(this.#encodedAt, this.#readBytes);
  }

  /**
   * Counts costly fields on every line, because Dovecot finds headers where filters find none: it decodes no message, and takes every
   * line that starts like a delimiter for one. Parts of any type count: Dovecot parses recipients only in messages, but languages and
   * parameters in all parts.
   */
  #countCostly(body: string): void {
    const text = this.#latest + body;
    const last = Math.max(0, text.length - MOST_START_BYTES);
    for (let at = 0; at < last; this.#isCostly = !this.#isCostly) {
      const edge = this.#isCostly ? FIELD_END : COSTLY_START;
      edge.lastIndex = at;
      const to = Math.min(edge.exec(text)?.index ?? last, last);
      if (this.#isCostly) this.#costlyBytes += to - at;
      if (this.#isCostly && this.#hasParameters) this.#parameterBytes += to - at;
      if (to === last) break;
      if (!this.#isCostly) this.#hasParameters = /^\ncontent/i.test(text.slice(to, to + EDGE_BYTES));
      // The end of a field may start the next one.
      at = this.#isCostly ? to : to + 1;
    }
    this.#latest = text.slice(last);
  }
}

/** -1 if its end has not arrived yet. */
function endOfField(text: string, from: number): number {
  FIELD_END.lastIndex = from;
  const end = FIELD_END.exec(text)?.index ?? -1;
  // The next line may continue the field.
  return end === text.length - 1 ? -1 : end;
}

function newHeader(): Header {
  return { isMessage: false, mayNest: false, isEncoded: false };
}
