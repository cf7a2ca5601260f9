import { asIs, asn1Contents, base64, type Decode, lineEnds, ODD_END, quotedPrintable } from "./transfer-encodings.ts";

/** Room for all boundaries of a mail: they nest, and one has at most 70 characters (RFC 2046, 5.1.1). */
const MOST_BOUNDARY_BYTES = 64 * 1024;
const UNCOUNTED = 1_000_000;
/** A longer line is not a delimiter. Only this much of a line in a part's header is read. */
const MOST_LINE_BYTES = 4 * 1024;
/** Maximum characters of a Content-Type that are searched: honest ones are far shorter. */
const MOST_TYPE_BYTES = 2_000;
/** RFC 2046, 5.1.1 allows 70. */
const MOST_BOUNDARY_CHARACTERS = 200;
const BOUNDARY = /boundary\s*=\s*(?:"([^"]*)"|([^\s;"]+))/gi;
/** A Content-Type in which a filter may find parts. */
const MAY_HAVE_PARTS = /multipart|message|boundary|pkcs7/i;
/** A type or parameter. The RFC allows more characters, which filters read differently. */
const NAME = "[+._0-9a-z-]+";
/** A value: more than a token of the RFC, because mailers omit the quotes. */
const VALUE = "[!#$%&'*+./:?=^_`{|}~0-9a-z-]+";
/**
 * A Content-Type as honest mailers write it (RFC 2045, 5.1). Filters read others too, each in its own way: a boundary in pieces
 * (RFC 2231), beside a comment, after a stray character. rspamd takes any line that starts with two hyphens for a delimiter where the
 * declared one is missing. So in these mails each such line counts. Without runs of space, which would make it slow.
 */
const WELL_FORMED = new RegExp(`^${NAME}/${NAME}(?: ?; ?${NAME}=(?:"[^"\\\\]*"|${VALUE}))* ?;?$`, "i");
/** A type that every filter reads alike. Without one, a filter may read the whole Content-Type as the type. */
const PLAIN_KIND = /^[!#$%&'*+.^_`{|}~0-9a-z-]+\/[!#$%&'*+.^_`{|}~0-9a-z-]+(?=\s*(?:;|$))/i;
const EVERY_KIND = "multipart message pkcs7-mime";
/** Maximum depth of encoded messages in encoded messages. */
const MOST_ENCODED = 2;
/** Maximum number of ways in which encoded messages are read at once. Those that no delimiter ends are read to the end of the mail. */
const MOST_WAYS = 60;
/** What each piece that is decoded costs, in bytes. */
const PIECE_COSTS = 256;
/** Maximum bytes decoded, and lines checked, in the encoded messages of a mail: seconds of the guard's time. */
const MOST_DECODED_BYTES = 50 * 1024 * 1024;
const MOST_LINES = 500_000;
/** Header fields of parts cost filters time too. This number of them counts as one part. */
const FIELDS_OF_A_PART = 30;
/** This many bytes of costly ones, too: an IMAP session that is asked for the recipients of a message takes 60 times their bytes, of its 256 MB. */
const COSTLY_BYTES_OF_A_PART = 1_500;
/** Other lines that start with two hyphens, of which a text may have many. */
const FEW_LINES = 1_000;
/** Beyond this count, which no limit reaches, the rest of a mail is not read. */
const ENOUGH = 10_000;
const FIELD = /content-(?:type|transfer-encoding)\s*:/i;
const FIELD_NAME = /^content-type\s*:/i;
/** The start of such a field; a line that is read in part may end before the colon. */
const FIELD_START = /^content-(?:type|transfer-encoding)\s*(?::|$)/i;
const ANY_FIELD = /^[^\s:]+[ \t]*:/;
/** SpamAssassin reads a type without these characters. */
const NOT_IN_TYPES = /[\0-\x20\x7f-\xff"(),:;<=>?@[\]\\]/g;
/** Words in the encoding of RFC 2047, which SpamAssassin decodes in every field. */
const ENCODED_WORD = /=\?[^?]*\?([bq])\?([^?]*)\?=/gi;
/** The first line of a message in base64. */
const BASE64_LINE = /^[a-z0-9+/]{40,}={0,2}$/i;
/** Its start decides what all filters read. */
const USUAL_TYPE = /^\s*[a-z0-9.+-]+\/[a-z0-9]/i;
/** Names (of regular expressions) of fields that Dovecot takes apart. A forwarded mail may have 10 KB of the rest, such as results of filters. */
export const COSTLY_FIELDS = ["from", "sender", "reply-to", "to", "bcc", "cc", "content-[a-z-]*"] as const;
/** Where such a field starts. To Dovecot a name ends with a NUL, which Postfix delivers. */
const COSTLY_START = new RegExp(`\\n(?:${COSTLY_FIELDS.join("|")})(?:\\0|[ \\t]{0,20}:|[ \\t]{20})`, "gi");
const FIELD_END = /\n(?![ \t])/g;
const MOST_START_BYTES = 64;
const DELIMITER = Buffer.from("\n--");
const NEWLINE = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;

/** What may still be read of a mail and of the messages in it. */
type Budget = { bytes: number; lines: number; ways: number };
/** The part whose header is being read. `isEnvelope`: it holds a signed message (RFC 8551, 3.5.2). `encodings`: all it names. */
type Part = {
  isInDigest: boolean;
  hasType: boolean;
  hasBoundary: boolean;
  /** Its message is being read from a line of the header that is not a field. */
  isOpened: boolean;
  isMessage: boolean;
  isMultipart: boolean;
  isEnvelope: boolean;
  encodings: string;
};
/**
 * An encoded message: unchanged, and decoded in each way that a filter may. `delimiter`: the line that ends it; null: none does.
 * `undecoded`: the offset of its first undecoded byte, in the bytes that start with `#rest`.
 */
type Inner = {
  readonly delimiter: string | null;
  readonly ways: readonly Readonly<{ steps: readonly Decode[]; parts: MimeParts }>[];
  undecoded: number;
};
type Within = Readonly<{
  /** How many encoded messages this one is in, and how many of them are decoded. */
  depth: number;
  decoded: number;
  /** Theirs, which rspamd applies to this one too. */
  encodings: string;
  budget: Budget;
  /** This message is in a signed envelope. */
  isInEnvelope: boolean;
  /** Its lines are those of an encoding, not of a header. */
  isEncoded: boolean;
}>;

/**
 * Counts the parts of a MIME message (RFC 2046, 5.1) as it arrives. Looks at delimiters, at the lines after them, and into messages
 * that are encoded, which RFC 2046, 5.2.1, forbids and filters decode.
 */
export class MimeParts {
  readonly #within: Within;
  /** In lower case: rspamd compares them without case. Read as latin1, so that any byte may be in one. */
  readonly #boundaries = new Set<string>();
  /** Boundaries that no line has had yet. */
  readonly #missing = new Set<string>();
  #boundaryBytes = 0;
  /** The unfinished line, with the newline before it. */
  #rest: Buffer = Buffer.from("\n");
  #isBody: boolean;
  #inHeader: boolean;
  /** The first line of the header has not arrived yet; rspamd skips empty lines before it. */
  #isLeading: boolean;
  /** The field of a part's header that is being read; its end is cut off if it is very long. */
  #field = "";
  #isCut = false;
  #part = newPart();
  /** The encodings of multiparts so far. */
  #inherited: string;
  /** The encoded messages that are being read. Of two one may be in the other's text, for a filter that knows fewer boundaries. */
  #open: readonly Inner[] = [];
  /** The delimiter line of the current part, unchanged. Null: none, or filters may disagree on it. */
  #delimiter: string | null = null;
  #mayHaveParts = false;
  /** Filters may read its fields differently (`WELL_FORMED`), so more of its lines count. */
  #isOdd: boolean;
  #isUncountable = false;
  #mayHideParts = false;
  /** It is in base64, and this one reads it undecoded, as no filter does. */
  #isNoMessage = false;
  /** In an envelope an empty line may not be the end of the header, so later lines are read as fields too, but do not count as such. */
  #isAfterHeader = false;
  /** The header that is being read follows a declared boundary. */
  #isCertain = true;
  /** The boundary whose end line precedes it. */
  #ended: string | null = null;
  /** The boundaries of multipart/digest, whose parts are messages by default (RFC 2046, 5.1.5). */
  readonly #digests = new Set<string>();
  /** Fields in the headers of parts. */
  #fields = 0;
  /** Bytes of costly fields, wherever they are. */
  #costlyBytes = 0;
  #isCostly = false;
  /** The last bytes, in which a costly field may start. */
  #latest = "\n";
  #count = 0;
  /** Other lines that start with two hyphens; a text may have many. */
  #hyphenLines = 0;

  constructor(within = wholeMail()) {
    this.#within = within;
    this.#inherited = within.encodings;
    this.#isOdd = within.isInEnvelope;
    // What is decoded starts with a header; that of the mail comes through `field`.
    this.#inHeader = within.depth > 0;
    this.#isLeading = this.#inHeader;
    this.#isBody = this.#inHeader;
  }

  get mayHaveParts(): boolean {
    return this.#mayHaveParts;
  }

  /**
   * Whether filters may find parts in it that are not counted here. In a multipart that is not closed, and after its end, rspamd
   * takes lines that start with two hyphens for delimiters.
   */
  get mayHideParts(): boolean {
    return this.#mayHideParts || this.#isOdd || this.#hyphenLines > FEW_LINES;
  }

  /** A million if the mail exceeds what is read and decoded here, which no honest mail does. */
  get count(): number {
    const { bytes, lines } = this.#within.budget;
    if (this.#isUncountable || this.#boundaryBytes > MOST_BOUNDARY_BYTES || bytes < 0 || lines < 0) return UNCOUNTED;
    const hyphenLines = this.#isOdd || this.#missing.size > 0 ? this.#hyphenLines : 0;
    const ofHeaders = Math.max(this.#fields / FIELDS_OF_A_PART, this.#costlyBytes / COSTLY_BYTES_OF_A_PART);
    const inner = this.#open.reduce((sum, one) => sum + countOf(one), 0);
    return Math.min(Math.max(this.#count + hyphenLines + inner, Math.floor(ofHeaders)), UNCOUNTED);
  }

  /** The number of ways in which encoded messages in it are being read. */
  get ways(): number {
    return this.#open.reduce((sum, inner) => sum + waysOf(inner), 0);
  }

  /** A header field of the mail. */
  field(name: string, value: string): void {
    if (name === "content-type") this.#read(value);
    else if (name === "content-transfer-encoding") this.#addEncoding(value);
  }

  /** The value of a Content-Type, or the whole field. */
  #read(contentType: string): void {
    const value = contentType.replace(FIELD_NAME, "").trimStart();
    const isCut = value.length > MOST_TYPE_BYTES;
    const type = isCut ? value.slice(0, MOST_TYPE_BYTES) : value;
    const [start = ""] = type.split(";");
    const bare = wordsDecoded(start).replace(NOT_IN_TYPES, "");
    // Only some filters find a message here.
    const isHidden = !USUAL_TYPE.test(start) && MAY_HAVE_PARTS.test(bare) && !MAY_HAVE_PARTS.test(start);
    this.#isUncountable ||= isHidden;
    this.#mayHaveParts ||= isCut || isHidden || MAY_HAVE_PARTS.test(type);
    const isDigest = /^multipart.*digest/i.test(bare);
    const named = type.match(/boundary\s*[*=]/gi)?.length ?? 0;
    const isWellFormed = WELL_FORMED.test(type.trim().replace(/\s+/g, " "));
    const isOdd = isCut || !isWellFormed || named !== (/multipart/i.test(type) ? 1 : 0);
    this.#isOdd ||= isOdd && MAY_HAVE_PARTS.test(type);
    const kind = PLAIN_KIND.exec(type)?.[0] ?? (isCut ? EVERY_KIND : type);
    this.#part.hasType ||= start.trim() !== "";
    this.#part.isMessage ||= /message/i.test(kind);
    this.#part.isMultipart ||= /multipart/i.test(kind);
    this.#part.isEnvelope ||= /pkcs7-mime/i.test(kind);
    for (const [, quoted, plain = ""] of type.matchAll(BOUNDARY)) {
      const boundary = (quoted ?? plain).trimEnd().toLowerCase();
      // Filters unfold a boundary of two lines differently.
      this.#isOdd ||= boundary === "" || boundary.length > MOST_BOUNDARY_CHARACTERS || boundary.includes("\n");
      this.#part.hasBoundary = true;
      if (isDigest) this.#digests.add(boundary);
      if (this.#boundaryBytes <= MOST_BOUNDARY_BYTES && !this.#boundaries.has(boundary)) {
        this.#boundaries.add(boundary);
        this.#missing.add(boundary);
        this.#boundaryBytes += boundary.length;
      }
    }
  }

  #addEncoding(value: string): void {
    this.#part.encodings += ` ${value} ${wordsDecoded(value)}`;
  }

  /** The next bytes of the body. Postfix has replaced each bare CR by a space. */
  push(chunk: Buffer): void {
    if (this.#isNoMessage || this.count > ENOUGH) return;
    if (this.#within.depth === 0) this.#countCostly(chunk);
    const bytes = Buffer.concat([this.#rest, chunk]);
    if (!this.#isBody) {
      this.#isBody = true;
      this.#endHeader(this.#rest.length);
    }
    let at = 0;
    for (;;) {
      const start = this.#inHeader ? at : bytes.indexOf(DELIMITER, at);
      if (start < 0) break;
      const end = bytes.indexOf(NEWLINE, start + 1);
      at = start;
      if (end < 0 || this.#within.budget.lines-- < 0) break;
      this.#line(bytes, start + 1, end);
      at = end;
    }
    // Without a delimiter only the last bytes can belong to one.
    const from = !this.#inHeader && bytes.indexOf(DELIMITER, at) < 0 ? bytes.length - DELIMITER.length + 1 : at;
    const rest = bytes.subarray(Math.max(from, at));
    const isLong = rest.length > MOST_LINE_BYTES;
    const restAt = bytes.length - rest.length;
    for (const inner of this.#open) {
      this.#decode(inner, bytes, isLong ? bytes.length : restAt);
      inner.undecoded = isLong ? MOST_LINE_BYTES : Math.max(0, inner.undecoded - restAt);
    }
    this.#rest = Buffer.from(isLong ? rest.subarray(0, MOST_LINE_BYTES) : rest);
  }

  #line(bytes: Buffer, start: number, end: number): void {
    const line = bytes.toString("latin1", start, Math.min(end, start - 1 + MOST_LINE_BYTES)).trimEnd();
    const isContinued = bytes[start] === SPACE || bytes[start] === TAB || bytes[start] === ODD_END;
    if (this.#inHeader && !isContinued) this.#endField();
    const name = line.startsWith("--") ? line.slice(2).toLowerCase() : null;
    if (name !== null) {
      const isStart = this.#boundaries.has(name);
      // One ends a multipart. If there are many, a filter may see a part after each.
      const ended =
        !isStart && name.endsWith("--") && this.#boundaries.has(name.slice(0, -2)) ? name.slice(0, -2) : null;
      if (isStart || ended !== null) this.#count++;
      else {
        this.#hyphenLines++;
        this.#isOdd ||= this.#isCertain && this.#inHeader && !this.#isAfterHeader;
        this.#passJunk(start, end);
      }
      const mayBeOne = isStart || ended !== null || this.#isOdd || this.#missing.size > 0;
      this.#missing.delete(name);
      if (mayBeOne || this.#open.length > 0) {
        const written = bytes.toString("latin1", start, bytes[end - 1] === CR ? end - 1 : end);
        this.#closeInner(bytes, start - 1, written);
        if (mayBeOne) return this.#beginPart(written, name, isStart, ended);
      }
    }
    if (!this.#inHeader) return;
    // A line of spaces continues a field.
    const isEmpty = end === start || (end === start + 1 && bytes[start] === CR);
    if (isEmpty && !this.#isLeading) this.#endHeader(end + 1);
    else if (!isEmpty) {
      const isFirst = this.#isLeading;
      this.#isLeading = false;
      if (!isContinued && !ANY_FIELD.test(line)) {
        this.#isNoMessage ||= isFirst && this.#within.isEncoded && !this.#within.isInEnvelope && BASE64_LINE.test(line);
        this.#passJunk(start, end);
      }
      if (this.#field.length <= MOST_LINE_BYTES) this.#field += isContinued ? `\n${line}` : line;
      this.#isCut ||= end - start >= MOST_LINE_BYTES - 1 || this.#field.length > MOST_LINE_BYTES;
    }
  }

  /**
   * After a line that a filter may take for a delimiter. Another one may read it as part of the header before it, whose fields still
   * hold. The same line again is a delimiter for all. After the end of a multipart rspamd finds a part only if the next delimiter has
   * the same boundary.
   */
  #beginPart(line: string, name: string, isStart: boolean, ended: string | null): void {
    const isOther = this.#ended !== null && name !== this.#ended && name !== `${this.#ended}--`;
    const isInHeader = this.#inHeader && !this.#isAfterHeader && line !== this.#delimiter && !isOther;
    this.#delimiter = isInHeader ? null : line;
    if (!isInHeader) this.#part = newPart(this.#digests.has(name));
    this.#inHeader = true;
    this.#isCertain = isStart;
    this.#ended = ended;
    this.#isAfterHeader = false;
  }

  /**
   * At a header line that is not a field. To some filters the body starts there, so an encoded message is read from there too.
   * A header that only follows something like a delimiter ends.
   */
  #passJunk(start: number, end: number): void {
    const part = this.#part;
    if (!this.#inHeader || this.#within.isInEnvelope) return;
    if ((part.isMessage || part.isEnvelope) && !part.isOpened && this.#openInner(start, part)) {
      part.isOpened = true;
      // The start of a long line has been dropped.
      this.#isUncountable ||= end - start >= MOST_LINE_BYTES - 1;
    }
    if (this.#isCertain) return;
    this.#inHeader = false;
    this.#field = "";
    this.#part = newPart();
  }

  /**
   * Counts costly fields on every line, because Dovecot finds headers where filters find none: it decodes no message, and takes every
   * line that starts like a delimiter for one. Parts of any type count: Dovecot parses recipients only in messages, but languages and
   * parameters in all parts.
   */
  #countCostly(chunk: Buffer): void {
    const text = this.#latest + chunk.toString("latin1");
    const last = Math.max(0, text.length - MOST_START_BYTES);
    for (let at = 0; at < last; this.#isCostly = !this.#isCostly) {
      const edge = this.#isCostly ? FIELD_END : COSTLY_START;
      edge.lastIndex = at;
      const to = Math.min(edge.exec(text)?.index ?? last, last);
      if (this.#isCostly) this.#costlyBytes += to - at;
      if (to === last) break;
      // The end of a field may start the next one.
      at = this.#isCostly ? to : to + 1;
    }
    this.#latest = text.slice(last);
  }

  /** Reads a field once it is whole: its lines may be many. */
  #endField(): void {
    // Within an envelope other bytes come before the first field.
    const field = this.#within.isInEnvelope ? this.#field.slice(Math.max(0, this.#field.search(FIELD))) : this.#field;
    const isCut = this.#isCut;
    this.#field = "";
    this.#isCut = false;
    if (ANY_FIELD.test(field) && this.#isCertain && !this.#within.isEncoded && !this.#isAfterHeader) this.#fields++;
    this.#isUncountable ||= isCut && FIELD_START.test(field);
    if (FIELD_NAME.test(field)) this.#read(field);
    else if (/^content-transfer-encoding\s*:/i.test(field)) this.#addEncoding(field.slice(field.indexOf(":")));
  }

  /** Ends the header of the mail or of a part; its body starts at this byte. */
  #endHeader(start: number): void {
    const part = this.#part;
    const isByDefault = part.isInDigest && !part.hasType;
    part.isMessage ||= isByDefault;
    this.#part = newPart();
    this.#isAfterHeader = this.#within.isInEnvelope && !part.isMessage;
    if (part.isMultipart) this.#inherited += part.encodings;
    const isOpened = (part.isMessage || part.isEnvelope) && this.#openInner(start, part);
    this.#isCertain &&= !isByDefault;
    // The start of an envelope's message is not known: the bytes before it may have empty lines.
    this.#inHeader = this.#within.isInEnvelope || (part.isMessage && !isOpened);
    this.#isLeading = this.#inHeader && !this.#within.isInEnvelope;
  }

  /** Whether the message is encoded, or signed within an envelope, whose own bytes are not looked at. */
  #openInner(start: number, { encodings, hasBoundary, isEnvelope, isMultipart }: Part): boolean {
    const all = encodings + this.#inherited;
    const isUnknown = /uu/i.test(all);
    // rspamd guesses the encoding of an envelope that names none.
    const isGuessed = isEnvelope && all.trim() === "";
    const encoded = [
      ...(isGuessed || /base-?64/i.test(all) ? [base64] : []),
      ...(isGuessed || /quoted/i.test(all) ? [quotedPrintable] : []),
    ];
    if (encoded.length === 0 && !isUnknown && !isEnvelope) return false;
    this.#mayHideParts = true;
    const { depth, decoded, budget } = this.#within;
    const isTooMuch = decoded === MOST_ENCODED || isUnknown || budget.ways > MOST_WAYS;
    // A text may quote mails, after lines that only look like delimiters.
    if (isTooMuch && !this.#isCertain) return false;
    this.#isUncountable ||= isTooMuch;
    const within = { depth: depth + 1, budget, isInEnvelope: isEnvelope };
    const decoders = this.#isUncountable ? [] : [asIs, ...encoded];
    const ways = decoders.map((decoder) => {
      const isEncoded = decoder === asIs;
      const asDecoded =
        isEncoded && !isEnvelope ? { decoded, encodings: "" } : { decoded: decoded + 1, encodings: all };
      return {
        steps: [decoder(), ...(isEnvelope ? [asn1Contents()] : []), lineEnds()],
        parts: new MimeParts({ ...within, ...asDecoded, isEncoded }),
      };
    });
    budget.ways += ways.length;
    // SpamAssassin takes a boundary that a message names for one within it.
    const delimiter = hasBoundary && !isMultipart ? null : this.#delimiter;
    this.#open = [...this.#open, { delimiter, ways, undecoded: start }];
    return true;
  }

  #decode(inner: Inner, bytes: Buffer, to: number): void {
    if (to <= inner.undecoded) return;
    const encoded = bytes.subarray(inner.undecoded, to);
    inner.undecoded = to;
    for (const { steps, parts } of inner.ways) {
      this.#within.budget.bytes -= encoded.length + PIECE_COSTS;
      parts.push(steps.reduce((bytes, step) => step(bytes), encoded));
    }
  }

  /**
   * A message ends where the line before it comes again: whichever filter found the message there ends it there too. At other
   * delimiters, and in another spelling, one of the filters may continue.
   */
  #closeInner(bytes: Buffer, end: number, line: string): void {
    const isOver = ({ delimiter }: Inner): boolean =>
      delimiter !== null && (line === delimiter || line === `${delimiter}--`);
    for (const inner of this.#open.filter(isOver)) {
      this.#decode(inner, bytes, end);
      this.#count += countOf(inner);
      this.#within.budget.ways -= waysOf(inner);
    }
    this.#open = this.#open.filter((inner) => !isOver(inner));
  }
}

function countOf({ ways }: Inner): number {
  return Math.max(0, ...ways.map(({ parts }) => parts.count));
}

function wordsDecoded(text: string): string {
  return text.replaceAll(ENCODED_WORD, (_, encoding: string, word: string) =>
    encoding.toLowerCase() === "b"
      ? Buffer.from(word, "base64").toString("latin1")
      : word
          .replaceAll("_", " ")
          .replaceAll(/=([0-9a-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16))),
  );
}

function waysOf({ ways }: Inner): number {
  return ways.reduce((sum, { parts }) => sum + 1 + parts.ways, 0);
}

function newPart(isInDigest = false): Part {
  return {
    isInDigest,
    isOpened: false,
    hasType: false,
    hasBoundary: false,
    isMessage: false,
    isMultipart: false,
    isEnvelope: false,
    encodings: "",
  };
}

function wholeMail(): Within {
  const budget = { bytes: MOST_DECODED_BYTES, lines: MOST_LINES, ways: 0 };
  return { depth: 0, decoded: 0, encodings: "", budget, isInEnvelope: false, isEncoded: false };
}
