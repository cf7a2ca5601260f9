import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";
import { mustRun } from "./commands.ts";
import { makeDebianTree } from "./debian-tree.ts";
import { rootOf } from "./dns.ts";
import { dockerIn } from "./docker.ts";
import { type Lab, makeLab } from "./lab.ts";
import { openImapAs, serverFor, tryLogIn } from "./mail.ts";
import { memoryPlace } from "./memory-place.ts";
import { PASSWORD } from "./product.ts";
import { follow, stepsUnder } from "./type-page.ts";
import { until } from "./wait.ts";

/** The name of the image, and of the container unless another is given. */
export const NAME = "ghostinbox";
export const START_MS = 90_000;
/** For tests without the spam filter and Fail2ban, whose starts take as long as the rest of the container's start. */
export const UNFILTERED: Readonly<Record<string, string>> = { GHOSTINBOX_SPAM__ENABLED: "false" };
const PLAIN: Readonly<Record<string, string>> = { ...UNFILTERED, GHOSTINBOX_FAIL2BAN__ENABLED: "false" };
const { hints, anchor } = rootOf("/lab");
/** Settings with the lab's names, and without delays. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  GHOSTINBOX_DNS__ROOT_HINTS: hints,
  GHOSTINBOX_DNS__TRUST_ANCHOR: anchor,
  GHOSTINBOX_DNSBL__ZONES: "[]",
  GHOSTINBOX_GREYLIST__ENABLED: "false",
  GHOSTINBOX_BANS__NEIGHBOURS: "1000",
};

/** `directory`: the checkout by default. `without`: words that are omitted. */
type Typed = Readonly<{ directory?: string; from?: number; to?: number; without?: string }>;

export type ImageLab = Awaited<ReturnType<typeof makeImageLab>>;

/** The image as the Dockerfile builds it, and containers of it whose ports the lab's server publishes. */
export async function makeImageLab() {
  const lab = await makeLab();
  const place = memoryPlace();
  const docker = dockerIn(place.directory);
  const tree = await makeDebianTree(lab.path("made"));
  const namesVolume = `${lab.path("dns")}:/lab/dns:ro`;
  try {
    await docker.start(null);
    await docker.makeBase(tree);
    const registry = (await mustRun(["npm", "config", "get", "registry"])).trim();
    const settings = Object.entries({ ...ENVIRONMENT, ...PLAIN }).map(([name, value]) => `--env=${name}=${value}`);
    const ofRun = [...settings, "--volume", namesVolume];
    docker.add(["--network=host", "--build-arg", `NPM_REGISTRY=${registry}`], ofRun);
    await typed("Without Compose", { to: 1 });
    await docker.stop();
    await docker.start(lab.server);
  } catch (error) {
    await remove();
    throw error;
  } finally {
    tree.close();
  }

  async function remove(): Promise<void> {
    await docker.stop();
    place.remove();
    lab.remove();
  }

  /** Types what docs/docker.md prints under a heading: all of it, or these of its lines. Returns what is seen. */
  async function typed(heading: string, { directory = CHECKOUT, from = 0, to, without = "" }: Typed = {}) {
    const terminal = { types: (line: string) => docker.terminal(line.replace(without, ""), directory) };
    const seen: string[] = [];
    for (const step of stepsUnder("docker.md", heading).slice(from, to)) seen.push(await follow(terminal, step));
    return seen.join("");
  }

  async function inspect(format: string, name: string = NAME): Promise<string> {
    return (await docker.must(["inspect", "--format", format, name])).trim();
  }

  const inside = (...argv: readonly string[]): Promise<string> => docker.must(["exec", NAME, ...argv]);

  return {
    lab,
    docker,
    remove,
    /** A compose file with the lab's own settings. JSON is YAML. */
    writeCompose: (file: string, service: string, settings = PLAIN, mounts: readonly string[] = []): void => {
      const volumes = [namesVolume, `${makeSources(lab)}:/etc/apt/sources.list:ro`, ...mounts];
      const additions = { environment: { ...ENVIRONMENT, ...settings }, volumes };
      writeFileSync(file, JSON.stringify({ services: { [service]: additions } }));
    },

    typed,
    /** Waits until it reports that it runs after its last start. */
    runs: async (name: string = NAME): Promise<void> => {
      const since = await inspect("{{.State.StartedAt}}", name);
      await docker.sees(["logs", "--follow", "--since", since, name], /Ctrl-C stops everything\./, START_MS);
    },

    /** Waits until Docker considers it healthy. */
    isHealthy: async (): Promise<void> => {
      const argv = ["events", "--since", await inspect("{{.State.StartedAt}}"), "--filter", `container=${NAME}`];
      await docker.sees([...argv, "--filter", "event=health_status"], /health_status: healthy/, START_MS);
    },

    inspect,
    inside,
    addAccount: async (name: string): Promise<void> => {
      const argv = ["exec", "-i", NAME, "ghostinbox", "account", "add", name, "--password-stdin"];
      await docker.must(argv, { input: `${PASSWORD}\n` });
    },

    /** Waits until its inbox holds mails with these words in their subjects. */
    expectMails: async (account: string, ...subjects: readonly string[]): Promise<void> => {
      using imap = await openImapAs(lab.sender, "198.51.100.70", account);
      await imap.imap("SELECT INBOX");
      const isThere = async (subject: string) =>
        /SEARCH \d/.test((await imap.imap(`SEARCH SUBJECT "${subject}"`)).join());
      for (const subject of subjects) await until(`the mail "${subject}"`, () => isThere(subject));
    },

    /** Signs in, each time with another password. Retries a sign-in that the server defers under load, which doesn't count as a guess. */
    guess: async (account: string, { from, times }: Readonly<{ from: string; times: number }>): Promise<void> => {
      for (let number = 0; number < times; number++) {
        const password = `guess ${number} of ${from}`;
        const answer = () => tryLogIn(lab.attacker, from, account, password);
        await until(`${password} is judged`, async () => !(await answer()).includes("[UNAVAILABLE]"));
      }
    },

    /** Waits until a container lists these addresses, or the same hosts in its own networks, as banned. */
    bans: async (ips: readonly string[], container: string = NAME): Promise<void> => {
      await until(`${ips.join()} are banned`, async () => {
        const listed = await docker.must(["exec", container, "ghostinbox", "bans"]);
        return ips.every((ip) => listed.includes(ip.replace(/200$/, "")));
      });
    },

    reaches: (from: string) => lab.attacker.reaches({ from, to: serverFor(from), port: 25, timeoutMs: 1_000 }),
    status: (): Promise<string> => inside("ghostinbox", "status"),
  };
}

/** A Debian that has a security update of tini: its sources.list. */
function makeSources({ directory }: Lab): string {
  const repository = join(directory, "dns", "debian");
  const sources = join(repository, "sources.list");
  if (existsSync(sources)) return sources;
  mkdirSync(repository);
  const packages =
    "Package: tini\nVersion: 99\nArchitecture: all\nMaintainer: a\nDescription: b\nFilename: ./none.deb\nSize: 1\n";
  const sum = createHash("sha256").update(packages).digest("hex");
  const release = `Origin: Debian-Security\nLabel: Debian-Security\nSuite: oldstable-security\nVersion: 12\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n ${sum} ${packages.length} Packages\n`;
  writeFileSync(join(repository, "Packages"), packages);
  writeFileSync(join(repository, "Release"), release);
  writeFileSync(sources, "deb [trusted=yes] file:/lab/dns/debian ./\n");
  return sources;
}
