import { listOf, orEmpty } from "../kinds/lists.ts";
import { keyHash, path } from "../kinds/texts.ts";
import type { Setting } from "../setting.ts";

/** Which certificates for our domains are ours (RFC 9162, Certificate Transparency). */
export const certificates = {
  "certificates.log": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File in which the hook of certspotter notes each certificate that it finds for a domain; empty: none is read.",
    source: "certspotter-script(8)",
  },
  "certificates.files": {
    kind: listOf(path, 100),
    byDefault: [],
    says: "Certificates (PEM) of your other services on this machine, such as a web server: theirs are known too, also after each renewal.",
  },
  "certificates.known": {
    kind: listOf(keyHash, 1_000),
    byDefault: [],
    says: "SHA-256 of more public keys that are yours, in hexadecimal digits, as a notice names them.",
  },
} as const satisfies Record<string, Setting<unknown>>;
