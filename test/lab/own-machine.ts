import type { ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_DATA_DIRECTORY } from "../../src/settings/layout.ts";
import { CHECKOUT } from "./checkout.ts";
import { mustRun } from "./commands.ts";
import { rootOf } from "./dns.ts";
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import { DNS_HOST } from "./network.ts";
import { Typist } from "./typist.ts";

/** `$1`: the data directory; `$2`: the resolver. Anything written to /etc, /root and /tmp is gone at the end. */
const MOUNT = `
  mount -t tmpfs tmpfs /mnt
  cd /mnt
  for each in etc var/lib; do
    mkdir -p upper/$each spare/$each
    mount -t overlay overlay -o "lowerdir=/$each,upperdir=/mnt/upper/$each,workdir=/mnt/spare/$each" /$each
  done
  mkdir -p ${DEFAULT_DATA_DIRECTORY}
  mount --bind "$1" ${DEFAULT_DATA_DIRECTORY}
  mount -t tmpfs -o mode=700 tmpfs /root
  mount -t tmpfs tmpfs /tmp
  rm -f /etc/resolv.conf
  printf 'nameserver %s\\noptions timeout:1 attempts:1\\n' "$2" > /etc/resolv.conf
  echo ready
  exec sleep infinity`;

/**
 * A host of the lab with its own files, so that a page's commands can be typed as printed: it has its own /etc, /root
 * and /tmp, and the data directory is at the default place.
 */
export class OwnMachine {
  readonly #holder: ChildProcess;
  readonly #environment: readonly string[];

  private constructor(holder: ChildProcess, environment: readonly string[]) {
    this.#holder = holder;
    this.#environment = environment;
  }

  /** `environment`: of every command. */
  static async start(
    host: Host,
    directory: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<OwnMachine> {
    const data = join(directory, `data-${host.name}`);
    mkdirSync(data);
    const argv = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", MOUNT, "sh", data, DNS_HOST];
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    return new OwnMachine(await host.spawnReady(argv), variables);
  }

  /** The lab's server. The spam filter and Fail2ban have separate pages and tests; here they would only cost time at each start. */
  static startServer({ server, directory }: Lab, settings: Readonly<Record<string, string>> = {}): Promise<OwnMachine> {
    const root = rootOf(directory);
    return OwnMachine.start(server, directory, {
      GHOSTINBOX_DNS__ROOT_HINTS: root.hints,
      GHOSTINBOX_DNS__TRUST_ANCHOR: root.anchor,
      // On the internet; the lab has none.
      GHOSTINBOX_DNSBL__ZONES: "[]",
      GHOSTINBOX_SPAM__ENABLED: "false",
      GHOSTINBOX_FAIL2BAN__ENABLED: "false",
      ...settings,
    });
  }

  inside(argv: readonly string[]): readonly string[] {
    const enter = ["nsenter", "--net", "--mount", `--target=${this.#holder.pid ?? 0}`, "--"];
    return [...enter, "env", `--chdir=${CHECKOUT}`, ...this.#environment, ...argv];
  }

  /** Types a line at a separate terminal in the checkout. */
  types(line: string): Typist {
    return new Typist((argv) => this.inside(argv), `stty cols 110; ${line}`);
  }

  /** Runs a program that must succeed; returns its output. */
  async must(argv: readonly string[]): Promise<string> {
    return mustRun(this.inside(argv));
  }

  /** Makes its programs trust this certificate. */
  async trust(cert: string): Promise<void> {
    const [folder, hash] = ["/etc/ssl/certs", `$(openssl x509 -noout -hash -in ${cert})`];
    await this.must(["sh", "-c", `cp ${cert} ${folder}/${hash}.0; cat ${cert} >> ${folder}/ca-certificates.crt`]);
  }

  end(): void {
    this.#holder.kill("SIGKILL");
  }
}
