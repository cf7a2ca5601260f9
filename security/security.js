// The entry point that scripts know: `node security/security.js stats|cleanup|ban <ip> "<reason>"|unban <ip>`. It runs on Node 18
// or newer and only calls `./ghostinbox`, which has a command for each word, here or in the container that runs it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Edit a value and run `./ghostinbox config apply`, which writes your change to ghostinbox.toml. These settings are there
// (`limits.mail.*`, `limits.connections.*`, `bans.ladder` and `allow.networks`), together with all others. A value that was not
// edited here changes nothing there, and one that you restore here is restored there. With Docker, compose.yaml mounts this
// directory, and the command is `docker exec ghostinbox ghostinbox config apply`.
const config = {
  // Mails from one stranger, or from one account.
  maxEmailsPerIP: {
    perMinute: 10,
    perHour: 50,
    perDay: 200,
  },
  // Connections from one address to the ports for mail, and how many it may hold open to all of them together.
  maxConnectionsPerIP: {
    perMinute: 20,
    perHour: 100,
    concurrent: 10,
  },
  // How long the first ban of an address lasts, the second, and all later ones: milliseconds, or a text such as "30m".
  banDurations: {
    light: 30 * 60 * 1000,
    medium: 2 * 60 * 60 * 1000,
    heavy: 24 * 60 * 60 * 1000,
  },
  // Addresses and networks that are never limited or banned, such as ["192.0.2.7", "2001:db8::/48"].
  whitelist: [],
};

const GHOSTINBOX = join(dirname(fileURLToPath(import.meta.url)), "..", "ghostinbox");
const WORDS = ["stats", "cleanup", "ban", "unban"];
const USAGE = 'Usage: node security/security.js stats | cleanup | ban <ip> "<reason>" | unban <ip>';

// The data directory if the server is set up on this machine. In a container the variable is set.
const DATA = process.env.GHOSTINBOX_DATA || "/var/lib/ghostinbox";
const LABEL = "label=org.opencontainers.image.title=GhostInbox";

// What to run: a program and its first arguments. GHOSTINBOX_CONTAINER names one of several containers.
function server() {
  const here = { program: GHOSTINBOX, first: [] };
  const named = process.env.GHOSTINBOX_CONTAINER;
  if (named) return inContainer(named);
  if (existsSync(DATA)) return here;
  // Includes stopped containers: while the server is stopped, its commands must not reach another one.
  const asked = spawnSync("docker", ["ps", "--all", "--filter", LABEL, "--format", "{{.Names}}"], { encoding: "utf8" });
  // Without Docker, `./ghostinbox` says how the server is set up.
  if (asked.error !== undefined) return here;
  if (asked.status !== 0) return { wrong: `Docker could not list the containers: ${asked.stderr}` };
  const [container, ...others] = asked.stdout.split("\n").filter((name) => name !== "");
  if (container === undefined)
    return { wrong: "GhostInbox is not set up on this machine, and no container of it exists." };
  if (others.length > 0)
    return { wrong: `There are several containers of GhostInbox. Name one: GHOSTINBOX_CONTAINER=${container}` };
  return inContainer(container);
}

/**
 * Without a terminal the command reads no input: `-i` would take that of a shell's loop.
 * @param {string} name
 */
function inContainer(name) {
  const asks = process.stdin.isTTY && process.stdout.isTTY ? ["-it"] : [];
  return { program: "docker", first: ["exec", ...asks, name, "ghostinbox"] };
}

const [word = "", ...rest] = process.argv.slice(2);
if (!WORDS.includes(word)) {
  console.error(word === "" ? USAGE : `Unknown command "${word}". ${USAGE}`);
  process.exitCode = 2;
} else {
  const found = server();
  if ("wrong" in found) {
    console.error(found.wrong.trim());
    process.exitCode = 3;
  } else {
    const { program, first } = found;
    const added = word === "stats" && !rest.includes("--json") ? ["--json"] : [];
    // A reason may start with a dash, as in a line of a log. Only options with `=` may contain a blank.
    const end = rest.length === 2 && /^-(?!-[a-z]+=).*\s/.test(rest[1] ?? "") ? ["--"] : [];
    const { status, error } = spawnSync(program, [...first, word, ...added, ...end, ...rest], { stdio: "inherit" });
    if (error !== undefined) console.error(`${program} could not be started: ${error.message}.`);
    process.exitCode = status ?? 1;
  }
}

export { config };
