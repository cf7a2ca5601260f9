import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Better first. Browsers take Brotli over https and from this machine only. */
const ENCODINGS = ["br", "gzip"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Maximum compression takes a quarter of a second for the page's largest file; each file is compressed once. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
const GZIP = { level: 9 };

/** The encoding that the client accepts (RFC 9110, 12.5.3); null: the file unchanged. The client's ranking is ignored. */
export function encodingFor(accepted: string | null): Encoding | null {
  const taken = new Map((accepted ?? "").split(",").map((one) => readCoding(one)));
  return ENCODINGS.find((name) => (taken.get(name) ?? taken.get("*") ?? 0) > 0) ?? null;
}

/** Off the main thread. */
export async function encoded(body: Uint8Array<ArrayBuffer>, encoding: Encoding): Promise<Uint8Array<ArrayBuffer>> {
  const made = encoding === "br" ? await promisify(brotliCompress)(body, BROTLI) : await promisify(gzip)(body, GZIP);
  return new Uint8Array(made);
}

/** `gzip;q=0.5`: its name and weight. */
function readCoding(text: string): readonly [string, number] {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((one) => one.startsWith("q="));
  return [name, weight === undefined ? 1 : Number(weight.slice(2)) || 0];
}
