import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "./lab.ts";

/** A domain of the lab that signs its mail, by python3-dkim. */
export class Signer {
  readonly #key: string;
  readonly #published: string;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1_024 });
    this.#key = privateKey.export({ type: "pkcs1", format: "pem" });
    this.#published = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  }

  /** The domain's record: a line of a zone file. */
  record(domain: string): string {
    return `s1._domainkey.${domain}. TXT "v=DKIM1; p=${this.#published}"`;
  }

  async sign(lab: Lab, domain: string, mail: string): Promise<string> {
    const program = [
      "import dkim, sys",
      "text = sys.stdin.buffer.read()",
      "key = open(sys.argv[1], 'rb').read()",
      "sys.stdout.buffer.write(dkim.sign(text, b's1', sys.argv[2].encode(), key) + text)",
    ].join("\n");
    const key = join(lab.directory, "signer.pem");
    writeFileSync(key, this.#key);
    return lab.sender.mustExec(["/usr/bin/python3", "-c", program, key, domain], { input: mail });
  }
}
