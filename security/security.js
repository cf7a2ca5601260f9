// The door that scripts know: `node security/security.js stats|cleanup|ban <ip> "<reason>"|unban <ip>`. It runs on any
// Node from 20 on and does nothing itself: each word is a command of `./ghostinbox`.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Edit a value and run `./ghostinbox config apply`: it writes your change to ghostinbox.toml, where these settings live
// (`limits.mail.*` and `allow.networks`) beside all others. A value that was not edited here changes nothing there; one
// that you set back here is set back there.
const config = {
  // Mails from one stranger, or from one account.
  maxEmailsPerIP: {
    perMinute: 10,
    perHour: 50,
    perDay: 200,
  },
  // Addresses and networks that are never limited or banned, such as ["192.0.2.7", "2001:db8::/48"].
  whitelist: [],
};

const GHOSTINBOX = join(dirname(fileURLToPath(import.meta.url)), "..", "ghostinbox");
const WORDS = new Map([
  ["stats", ["stats", "--json"]],
  ["cleanup", ["cleanup"]],
  ["ban", ["ban"]],
  ["unban", ["unban"]],
]);
const USAGE = 'Usage: node security/security.js stats | cleanup | ban <ip> "<reason>" | unban <ip>';

const [word = "", ...rest] = process.argv.slice(2);
const command = WORDS.get(word);
if (command === undefined) {
  console.error(word === "" ? USAGE : `There is no command "${word}". ${USAGE}`);
  process.exitCode = 2;
} else {
  const { status, error } = spawnSync(GHOSTINBOX, [...command, ...rest], { stdio: "inherit" });
  if (error !== undefined) console.error(`${GHOSTINBOX} could not be started: ${error.message}.`);
  process.exitCode = status ?? 1;
}

export { config };
