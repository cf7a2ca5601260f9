import { type ChildProcess, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeOneRule } from "./content.ts";
import type { Host } from "./host.ts";

const ADDRESS = "198.51.100.10";
const PORT = 8_099;
/** The contents of a channel; each is a separate channel. */
export const CHANNELS = { "good.test": 100, "unsigned.test": 200, "broken.test": 300 } as const;
type Channel = keyof typeof CHANNELS;

/** TXT records by which sa-update(1p) finds the newest version for SpamAssassin 4.0.1, and the mirrors. */
export function channelRecords(): readonly string[] {
  return Object.entries(CHANNELS).flatMap(([name, version]) => [
    `1.0.4.${name}. TXT "${version}"`,
    `mirrors.${name}. TXT "http://${ADDRESS}:${PORT}/${name}/MIRRORED.BY"`,
  ]);
}

/** Channels of rules for SpamAssassin on a web server of the lab, signed by a separate key. */
export class RulesChannel {
  /** The public key of the owner of the channels. */
  readonly keyFile: string;
  readonly #directory: string;
  readonly #host: Host;
  #server: ChildProcess | null = null;

  constructor(host: Host, directory: string) {
    this.#host = host;
    this.#directory = join(directory, "channel");
    this.keyFile = join(this.#directory, "key.asc");
    for (const home of ["owner", "stranger"]) mkdirSync(join(this.#directory, home), { recursive: true, mode: 0o700 });
    chmodSync(this.#directory, 0o755);
    for (const who of ["owner", "stranger"])
      this.#gpg(who, ["--passphrase", "", "--quick-gen-key", `${who}@rules.test`, "rsa2048", "sign"]);
    writeFileSync(this.keyFile, this.#gpg("owner", ["--armor", "--export"]));
  }

  async start(): Promise<void> {
    this.#publish("good.test", "body LAB_FETCHED /frobnicate/\nscore LAB_FETCHED 0.5\n", "owner");
    this.#publish("unsigned.test", "score LAB_FETCHED 50\n", "stranger");
    this.#publish("broken.test", "body LAB_BROKEN /(frobnicate/\n", "owner");
    const web = ["/usr/bin/python3", "-m", "http.server", String(PORT), "--directory", join(this.#directory, "web")];
    this.#server = await this.#host.spawnServer(web, ADDRESS, PORT);
  }

  stop(): void {
    this.#server?.kill("SIGTERM");
  }

  /** Rules as those of Debian's package, but few, and one more. */
  #publish(channel: Channel, rule: string, signer: "owner" | "stranger"): void {
    const [rules, web] = [join(this.#directory, channel), join(this.#directory, "web", channel)];
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
    this.#gpg(signer, ["--armor", "--detach-sign", archive]);
    writeFileSync(join(web, "MIRRORED.BY"), `http://${ADDRESS}:${PORT}/${channel}/ weight=1\n`);
  }

  #gpg(home: string, argv: readonly string[]): Buffer {
    return execFileSync("gpg", ["--batch", "--yes", "--homedir", join(this.#directory, home), ...argv], {
      stdio: ["ignore", "pipe", "ignore"],
    });
  }
}
