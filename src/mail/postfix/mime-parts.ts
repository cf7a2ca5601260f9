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
 * (RFC 2231), beside a comment, after a stray character. rspamd also looks for parts in a message within a mail, and takes any line that
 * starts with two hyphens for a delimiter where the declared one is missing. So in these mails each such line counts. Without runs of
 * space, which would make it slow.
 */
const WELL_FORMED = new RegExp(
  `^(?:content-type ?:)? ?${NAME}/${NAME}(?: ?; ?${NAME}=(?:"[^"\\\\]*"|${VALUE}))* ?;?$`,
  "i",
);
const DELIMITER = Buffer.from("\n--");
const NEWLINE = 0x0a;

/** Counts the parts of a MIME message (RFC 2046, 5.1) as it arrives. Looks at delimiters and at the lines after them only. */
export class MimeParts {
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
  #mayHaveParts = false;
  #isOdd = false;
  #count = 0;
  /** Other lines that start with two hyphens; a text may have many. */
  #rules = 0;

  get mayHaveParts(): boolean {
    return this.#mayHaveParts;
  }

  /** A million if the mail has more different boundaries than are kept, as no honest one does. */
  get count(): number {
    return this.#boundaryBytes > MOST_BOUNDARY_BYTES
      ? UNCOUNTED
      : this.#count + (this.#isOdd || this.#missing.size > 0 ? this.#rules : 0);
  }

  /** The value of the mail's Content-Type. */
  declare(contentType: string): void {
    // Its body starts with a header.
    this.#inHeader ||= /message\//i.test(contentType);
    this.#read(contentType);
  }

  /** The value of a Content-Type, or the whole field. */
  #read(contentType: string): void {
    const isCut = contentType.length > MOST_TYPE_BYTES;
    const type = isCut ? contentType.slice(0, MOST_TYPE_BYTES) : contentType;
    this.#mayHaveParts ||= isCut || MAY_HAVE_PARTS.test(type);
    const named = type.match(/boundary\s*[*=]/gi)?.length ?? 0;
    const isWellFormed = WELL_FORMED.test(type.trim().replace(/\s+/g, " "));
    const isOdd = isCut || /message\//i.test(type) || !isWellFormed || named !== (/multipart/i.test(type) ? 1 : 0);
    this.#isOdd ||= isOdd && MAY_HAVE_PARTS.test(type);
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
    const bytes = Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const start = this.#inHeader ? at : bytes.indexOf(DELIMITER, at);
      if (start < 0) break;
      const end = bytes.indexOf(NEWLINE, start + 1);
      at = start;
      if (end < 0) break;
      this.#line(bytes.toString("latin1", start + 1, Math.min(end, start + MOST_LINE_BYTES)).trimEnd());
      at = end;
    }
    // Without a delimiter only the last bytes can belong to one.
    const from = !this.#inHeader && bytes.indexOf(DELIMITER, at) < 0 ? bytes.length - DELIMITER.length + 1 : at;
    const rest = bytes.subarray(Math.max(from, at, 0));
    this.#rest = Buffer.from(rest.length > MOST_LINE_BYTES ? rest.subarray(0, MOST_LINE_BYTES) : rest);
  }

  #line(line: string): void {
    if (this.#inHeader && !/^[ \t]/.test(line)) this.#endField();
    const name = line.startsWith("--") ? line.slice(2).toLowerCase() : null;
    if (name !== null && this.#boundaries.has(name)) {
      this.#count++;
      this.#missing.delete(name);
      this.#inHeader = true;
      this.#isMessage = false;
      return;
    }
    // One ends a multipart. A filter may see a part after each of many.
    if (name?.endsWith("--") && this.#boundaries.has(name.slice(0, -2))) this.#count++;
    else if (name !== null) {
      this.#rules++;
      this.#isOdd ||= this.#inHeader;
    }
    if (this.#inHeader) this.#header(line);
  }

  #header(line: string): void {
    if (line === "") {
      this.#inHeader = this.#isMessage;
      this.#isMessage = false;
    } else if (this.#field.length < MOST_LINE_BYTES) this.#field += line;
  }

  /** Reads a field once it is whole: its lines may be many. */
  #endField(): void {
    const field = this.#field;
    this.#field = "";
    if (!/^content-type\s*:/i.test(field)) return;
    this.#isMessage ||= /message\//i.test(field);
    this.#read(field);
  }
}
