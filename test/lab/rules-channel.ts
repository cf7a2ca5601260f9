import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeOneRule } from "./content.ts";
import type { Host } from "./host.ts";

const ADDRESS = "198.51.100.10";
const PORT = 8_099;
/** The channels, one for each kind of content, with their versions. */
export const CHANNELS = { "good.test": 100, "unsigned.test": 200, "broken.test": 300 } as const;
type Channel = keyof typeof CHANNELS;

/** TXT records by which sa-update(1p) finds the newest version for SpamAssassin 4.0.1, and the mirrors. */
export const channelRecords = (): readonly string[] =>
  Object.entries(CHANNELS).flatMap(([name, version]) => [
    `1.0.4.${name}. TXT "${version}"`,
    `mirrors.${name}. TXT "http://${ADDRESS}:${PORT}/${name}/MIRRORED.BY"`,
  ]);

/** Channels of rules for SpamAssassin on a web server of the lab; returns the file with their owner's public key. */
export async function startRulesChannel(host: Host, directory: string): Promise<string> {
  const top = join(directory, "channel");
  const keyFile = join(top, "key.asc");
  for (const home of ["owner", "stranger"]) mkdirSync(join(top, home), { recursive: true, mode: 0o700 });
  chmodSync(top, 0o755);
  for (const who of ["owner", "stranger"])
    gpg(who, ["--passphrase", "", "--quick-gen-key", `${who}@rules.test`, "rsa2048", "sign"]);
  // The owner signs with a subkey.
  const [, primary = ""] = /^fpr:*(\w+):/m.exec(gpg("owner", ["--with-colons", "--list-keys"]).toString()) ?? [];
  gpg("owner", ["--passphrase", "", "--quick-add-key", primary, "rsa2048", "sign"]);
  writeFileSync(keyFile, gpg("owner", ["--armor", "--export"]));
  publish("good.test", "body LAB_FETCHED /frobnicate/\nscore LAB_FETCHED 0.5\n", "owner");
  publish("unsigned.test", "score LAB_FETCHED 50\n", "stranger");
  publish("broken.test", "body LAB_BROKEN /(frobnicate/\n", "owner");
  const web = ["/usr/bin/python3", "-m", "http.server", String(PORT), "--directory", join(top, "web")];
  await host.spawnServer(web, ADDRESS, PORT);
  return keyFile;

  /** Rules like those of Debian's package, but few, and one more. */
  function publish(channel: Channel, rule: string, signer: "owner" | "stranger"): void {
    const rules = join(top, channel);
    const web = join(top, "web", channel);
    mkdirSync(web, { recursive: true });
    writeOneRule(rules);
    writeFileSync(join(rules, "99_lab.cf"), rule);
    const archive = join(web, `${CHANNELS[channel]}.tar.gz`);
    // sa-update takes only plain names.
    const files = readdirSync(rules).filter((name) => /^[\w.-]+\.(cf|pre)$/.test(name));
    execFileSync("tar", ["-czf", archive, "-C", rules, ...files]);
    for (const algorithm of ["sha256", "sha512"]) {
      const digest = createHash(algorithm).update(readFileSync(archive)).digest("hex");
      writeFileSync(`${archive}.${algorithm}`, `${digest}  ${CHANNELS[channel]}.tar.gz\n`);
    }
    gpg(signer, ["--armor", "--detach-sign", archive]);
    writeFileSync(join(web, "MIRRORED.BY"), `http://${ADDRESS}:${PORT}/${channel}/ weight=1\n`);
  }

  function gpg(home: string, argv: readonly string[]): Buffer {
    return execFileSync("gpg", ["--batch", "--yes", "--homedir", join(top, home), ...argv], {
      stdio: ["ignore", "pipe", "ignore"],
    });
  }
}
