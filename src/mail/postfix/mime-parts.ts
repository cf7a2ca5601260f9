import { base64, type Decode, quotedPrintable } from "./transfer-encodings.ts";

/** Room for all boundaries of a mail: they nest, and one has at most 70 characters (RFC 2046, 5.1.1). */
const MOST_BOUNDARY_BYTES = 64 * 1024;
const UNCOUNTED = 1_000_000;
/** A longer line is not a delimiter. Of a part's header only what comes before is read. */
const MOST_LINE_BYTES = 4 * 1024;
/** Of a Content-Type. Honest ones are far shorter; strangers choose how often this is searched. */
const MOST_TYPE_BYTES = 2_000;
/** RFC 2046, 5.1.1 allows 70. */
const MOST_BOUNDARY_CHARACTERS = 200;
const BOUNDARY = /boundary\s*=\s*(?:"([^"]*)"|([^\s;"]+))/gi;
/** What a filter may find parts in. */
const MAY_HAVE_PARTS = /multipart|message|boundary/i;
/** Of types and parameters. The RFC allows more characters, which filters read differently. */
const NAME = "[+._0-9a-z-]+";
/** More than a token of the RFC, because mailers omit the quotes. */
const VALUE = "[!#$%&'*+./:?=^_`{|}~0-9a-z-]+";
/**
 * A Content-Type as honest mailers write it (RFC 2045, 5.1). Filters read others too, each in its own way: a boundary in pieces
 * (RFC 2231), beside a comment, after a stray character. rspamd takes any line that starts
 * with two hyphens for a delimiter where the declared one is missing. So in these mails each such line counts. Without runs of space,
 * which would make it slow.
 */
const WELL_FORMED = new RegExp(
  `^(?:content-type ?:)? ?${NAME}/${NAME}(?: ?; ?${NAME}=(?:"[^"\\\\]*"|${VALUE}))* ?;?$`,
  "i",
);
/** A message in a message, each encoded. */
const MOST_ENCODED = 3;
/** Header fields of parts cost filters time too: ten of them count as a part. */
const FIELDS_OF_A_PART = 10;
/** Beyond this count, which no limit reaches, the rest of a mail is not read. */
const ENOUGH = 10_000;
const MESSAGE = /^(?:content-type\s*:)?\s*message\//i;
const DELIMITER = Buffer.from("\n--");
const NEWLINE = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Counts the parts of a MIME message (RFC 2046, 5.1) as it arrives. Looks at delimiters, at the lines after them, and into messages
 * that are encoded, which RFC 2046, 5.2.1, forbids and filters decode.
 */
export class MimeParts {
  /** How many encoded messages this one is in. */
  readonly #depth: number;
  /** In lower case: rspamd compares them without case. Read as latin1, so that any byte may be in one. */
  readonly #boundaries = new Set<string>();
  /** Those of them that no line has had yet. */
  readonly #missing = new Set<string>();
  #boundaryBytes = 0;
  /** The unfinished line, with the newline before it. */
  #rest: Buffer = Buffer.from("\n");
  #inHeader = false;
  /** The field of a part's header that is being read. */
  #field = "";
  /** The part is a message, whose own header comes next. */
  #isMessage = false;
  #isBody = false;
  #mayHaveParts = false;
  #isOdd = false;
  /** The transfer encodings of the part whose header is being read. */
  #encodings = "";
  /** The encoded message that is being read, and from where on its bytes are still to be decoded. */
  #inner: Readonly<{ decode: Decode; parts: MimeParts }> | null = null;
  #undecoded = 0;
  #isUncountable = false;
  /** Fields in the headers of parts. */
  #fields = 0;
  #count = 0;
  /** Other lines that start with two hyphens; a text may have many. */
  #rules = 0;

  constructor(depth = 0) {
    this.#depth = depth;
  }

  get mayHaveParts(): boolean {
    return this.#mayHaveParts;
  }

  /** A million if the mail has more different boundaries than are kept, or an encoding that filters read differently, as no honest one has. */
  get count(): number {
    if (this.#isUncountable || this.#boundaryBytes > MOST_BOUNDARY_BYTES) return UNCOUNTED;
    const rules = this.#isOdd || this.#missing.size > 0 ? this.#rules : 0;
    const found = this.#count + rules + (this.#inner?.parts.count ?? 0);
    return Math.max(found, Math.floor(this.#fields / FIELDS_OF_A_PART));
  }

  /** A header field of the mail. Those of its content come first. */
  field(name: string, value: string): void {
    if (name === "content-type") {
      this.#read(value);
      // Its body starts with a header.
      this.#inHeader = this.#isMessage;
    } else if (name === "content-transfer-encoding") this.#encodings += ` ${value}`;
  }

  /** The value of a Content-Type, or the whole field. */
  #read(contentType: string): void {
    const isCut = contentType.length > MOST_TYPE_BYTES;
    const type = isCut ? contentType.slice(0, MOST_TYPE_BYTES) : contentType;
    this.#mayHaveParts ||= isCut || MAY_HAVE_PARTS.test(type);
    const named = type.match(/boundary\s*[*=]/gi)?.length ?? 0;
    const isWellFormed = WELL_FORMED.test(type.trim().replace(/\s+/g, " "));
    const isOdd = isCut || !isWellFormed || named !== (/multipart/i.test(type) ? 1 : 0);
    this.#isOdd ||= isOdd && MAY_HAVE_PARTS.test(type);
    this.#isMessage ||= (isWellFormed ? MESSAGE : /message/i).test(type);
    for (const [, quoted, plain = ""] of type.matchAll(BOUNDARY)) {
      const boundary = (quoted ?? plain).trimEnd().toLowerCase();
      this.#isOdd ||= boundary === "" || boundary.length > MOST_BOUNDARY_CHARACTERS;
      if (this.#boundaryBytes <= MOST_BOUNDARY_BYTES && !this.#boundaries.has(boundary)) {
        this.#boundaries.add(boundary);
        this.#missing.add(boundary);
        this.#boundaryBytes += boundary.length;
      }
    }
  }

  /** The next bytes of the body. Postfix has replaced each bare CR by a space. */
  push(chunk: Buffer): void {
    if (this.count > ENOUGH) return;
    const bytes = Buffer.concat([this.#rest, chunk]);
    if (!this.#isBody) {
      this.#isBody = true;
      if (this.#isMessage) this.#openInner(this.#rest.length);
      this.#isMessage = false;
    }
    let at = 0;
    for (;;) {
      const start = this.#inHeader ? at : bytes.indexOf(DELIMITER, at);
      if (start < 0) break;
      const end = bytes.indexOf(NEWLINE, start + 1);
      at = start;
      if (end < 0) break;
      this.#line(bytes, start + 1, end);
      at = end;
    }
    // Without a delimiter only the last bytes can belong to one.
    const from = !this.#inHeader && bytes.indexOf(DELIMITER, at) < 0 ? bytes.length - DELIMITER.length + 1 : at;
    const rest = bytes.subarray(Math.max(from, at, 0));
    const isLong = rest.length > MOST_LINE_BYTES;
    const restAt = bytes.length - rest.length;
    this.#decode(bytes, isLong ? bytes.length : restAt);
    this.#rest = Buffer.from(isLong ? rest.subarray(0, MOST_LINE_BYTES) : rest);
    this.#undecoded = isLong ? MOST_LINE_BYTES : Math.max(0, this.#undecoded - restAt);
  }

  #line(bytes: Buffer, start: number, end: number): void {
    const line = bytes.toString("latin1", start, Math.min(end, start - 1 + MOST_LINE_BYTES)).trimEnd();
    const isContinued = bytes[start] === SPACE || bytes[start] === TAB;
    if (this.#inHeader && !isContinued) this.#endField();
    const name = line.startsWith("--") ? line.slice(2).toLowerCase() : null;
    const isStart = name !== null && this.#boundaries.has(name);
    // One ends a multipart. A filter may see a part after each of many.
    const isEnd = name?.endsWith("--") === true && this.#boundaries.has(name.slice(0, -2));
    if (isStart || isEnd) {
      this.#count++;
      this.#closeInner(bytes, start - 1);
    }
    if (isStart) {
      this.#missing.delete(name);
      this.#inHeader = true;
      this.#isMessage = false;
      this.#encodings = "";
      return;
    }
    if (name !== null && !isEnd) {
      this.#rules++;
      this.#isOdd ||= this.#inHeader;
    }
    // A line of spaces continues a field.
    const isEmpty = end === start || (end === start + 1 && bytes[start] === CR);
    if (this.#inHeader) this.#header(line, isEmpty, end);
  }

  #header(line: string, isEmpty: boolean, end: number): void {
    if (isEmpty) {
      if (this.#isMessage) this.#openInner(end + 1);
      this.#inHeader = this.#isMessage;
      this.#isMessage = false;
      this.#encodings = "";
    } else if (this.#field.length < MOST_LINE_BYTES) this.#field += line;
  }

  /** Reads a field once it is whole: its lines may be many. */
  #endField(): void {
    const field = this.#field;
    this.#field = "";
    // Those of an encoded message are counted decoded.
    if (this.#inner === null) this.#fields++;
    if (/^content-type\s*:/i.test(field)) this.#read(field);
    else if (/^content-transfer-encoding\s*:/i.test(field)) this.#encodings += field.slice(field.indexOf(":"));
  }

  /** The message starts at this byte. If it is encoded, it is decoded too. */
  #openInner(start: number): void {
    const isBase64 = /base64/i.test(this.#encodings);
    const isQuoted = /quoted-printable/i.test(this.#encodings);
    if (!isBase64 && !isQuoted && !/uu/i.test(this.#encodings)) return;
    if (isBase64 === isQuoted || this.#depth === MOST_ENCODED) {
      this.#isUncountable = true;
      return;
    }
    const parts = new MimeParts(this.#depth + 1);
    parts.field("content-type", "message/rfc822");
    this.#inner = { decode: isBase64 ? base64() : quotedPrintable(), parts };
    this.#undecoded = start;
  }

  #decode(bytes: Buffer, to: number): void {
    if (this.#inner === null || to <= this.#undecoded) return;
    const decoded = this.#inner.decode(bytes.subarray(this.#undecoded, to));
    this.#undecoded = to;
    if (decoded === null) this.#isUncountable = true;
    else this.#inner.parts.push(decoded);
  }

  #closeInner(bytes: Buffer, end: number): void {
    this.#decode(bytes, end);
    this.#count += this.#inner?.parts.count ?? 0;
    this.#inner = null;
  }
}
