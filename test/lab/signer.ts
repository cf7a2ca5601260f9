import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { Lab } from "./lab.ts";

export type Signer = ReturnType<typeof makeSigner>;

/** A domain of the lab that signs its mail, by python3-dkim. */
export function makeSigner() {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1_024 });
  const published = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  return {
    /** The domain's record: a line of a zone file. */
    record: (domain: string) => `s1._domainkey.${domain}. TXT "v=DKIM1; p=${published}"`,

    sign: (lab: Lab, domain: string, mail: string): Promise<string> => {
      const key = lab.path("signer.pem");
      writeFileSync(key, privateKey.export({ type: "pkcs1", format: "pem" }));
      return lab.sender.mustExec(["/usr/bin/python3", "-c", PROGRAM, key, domain], { input: mail });
    },
  };
}

const PROGRAM = `
import dkim, sys
text = sys.stdin.buffer.read()
key = open(sys.argv[1], 'rb').read()
sys.stdout.buffer.write(dkim.sign(text, b's1', sys.argv[2].encode(), key) + text)`;
