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

export type OwnMachine = Awaited<ReturnType<typeof startMachine>>;
type Variables = Readonly<Record<string, string>>;

/**
 * A host of the lab with its own files, so that a page's commands can be typed as printed. It has its own /etc, /root
 * and /tmp, and the data directory is in its default place. `environment`: that of every command.
 */
export async function startMachine(host: Host, directory: string, environment: Variables = {}) {
  const data = join(directory, `data-${host.name}`);
  mkdirSync(data);
  const argv = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", MOUNT, "sh", data, DNS_HOST];
  const holder = await host.spawnReady(argv);
  const enter = ["nsenter", "--net", "--mount", `--target=${holder.pid ?? 0}`, "--"];
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const inside = (words: readonly string[]) => [...enter, "env", `--chdir=${CHECKOUT}`, ...variables, ...words];
  /** Runs a program that must succeed; returns its output. */
  const must = (words: readonly string[]): Promise<string> => mustRun(inside(words));
  return {
    must,
    /** Types a line at a separate terminal in the checkout. */
    types: (line: string) => new Typist(inside, `stty cols 110; ${line}`),

    /** Makes its programs trust this certificate. */
    trust: async (cert: string): Promise<void> => {
      const folder = "/etc/ssl/certs";
      const hash = `$(openssl x509 -noout -hash -in ${cert})`;
      await must(["sh", "-c", `cp ${cert} ${folder}/${hash}.0; cat ${cert} >> ${folder}/ca-certificates.crt`]);
    },
  };
}

/** The lab's server, without the spam filter and Fail2ban, which have separate tests and would only cost time at each start. */
export function startServerMachine({ server, directory }: Lab, settings: Variables = {}): Promise<OwnMachine> {
  const root = rootOf(directory);
  return startMachine(server, directory, {
    GHOSTINBOX_DNS__ROOT_HINTS: root.hints,
    GHOSTINBOX_DNS__TRUST_ANCHOR: root.anchor,
    // Block lists are on the internet, which the lab cannot reach.
    GHOSTINBOX_DNSBL__ZONES: "[]",
    GHOSTINBOX_SPAM__ENABLED: "false",
    GHOSTINBOX_FAIL2BAN__ENABLED: "false",
    ...settings,
  });
}
