import { totalmem } from "node:os";
import { resolve } from "node:path";

/** What `npm run check` and `npm test` run, and in which order. */

/** Absolute, because some tools resolve it from their own project. */
const KEPT = resolve("node_modules/.cache/checks");

/**
 * The longest first. The dashboard has its own run of the compiler, because only there do types of the server meet those of a
 * browser. A separate run without the tests finds exports that only tests use.
 */
export const STATIC_CHECKS: readonly (readonly [string, readonly string[]])[] = [
  ["lint", ["node_modules/.bin/oxlint", "--deny-warnings", "."]],
  ["types", types(".")],
  ["types of the dashboard", types("dashboard")],
  ["dead code", deadCode("all")],
  ["code only for tests", deadCode("production", "--production")],
  ["format", ["node_modules/.bin/biome", "check", "--error-on-warnings", "."]],
];
/**
 * tsc and oxlint's type checker are Go programs (https://pkg.go.dev/runtime#hdr-Environment_Variables). In so few seconds they need
 * not collect garbage below a quarter of the memory, and several threads would check some types twice. These settings save a
 * third of their processor time. oxlint's type checker needs 2.6 GB, and with less takes a third longer.
 */
export const GO = {
  GOGC: "off",
  GOMEMLIMIT: `${Math.max(2_048, Math.floor(totalmem() / 4 / 1_048_576))}MiB`,
  GOMAXPROCS: "1",
};
/**
 * None of these files leaves anything that another could notice, so one process runs many of them in a third of the time. The first
 * three groups compute and measure no time; the others mostly wait, the longest first.
 */
export const TOGETHER: readonly Readonly<{ places: number; patterns: readonly string[]; computes?: true }>[] = [
  { places: 1, patterns: testsBelow("src/{core,settings,admin,guard}"), computes: true },
  { places: 1, patterns: testsBelow("src/store"), computes: true },
  { places: 1, patterns: testsBelow("test/house"), computes: true },
  { places: 0.5, patterns: testsBelow("src/surfaces/cli") },
  { places: 0.5, patterns: testsBelow("src/programs/!(keeper)") },
  { places: 0.5, patterns: testsBelow("src/mail") },
  { places: 0.5, patterns: testsBelow("src/programs/keeper") },
  {
    places: 0.5,
    patterns: ["src/surfaces/*.test.ts", ...testsBelow("src/surfaces/!(cli)", "dashboard", "bench", "test/kit")],
  },
  { places: 0.5, patterns: testsBelow("src/jobs") },
  { places: 0.5, patterns: testsBelow("src/host") },
];
/** Each of these waits or computes for seconds, so they run beside the others, not after them. The longest first. */
export const BESIDE = [
  "src/programs/guard/housekeeping.test.ts",
  "src/programs/web/main.test.ts",
  "src/programs/keeper/verbs.test.ts",
  "src/surfaces/cli/offline.test.ts",
];
/** Files that compute, and neither wait nor measure time, as do FUZZ, the static checks and some of TOGETHER. */
export const COMPUTING = ["test/scenarios/*.test.ts"];
export const UNIT = [
  "src/**/*.test.ts",
  "bench/**/*.test.ts",
  "dashboard/**/*.test.ts",
  "test/kit/*.test.ts",
  "test/mutants/*.test.ts",
  "test/scale/*.test.ts",
];
/** Files that must not be in memory, because the check takes a deleted program below /dev for shared memory. */
export const ON_DISK = [
  "src/surfaces/cli/check/broken.test.ts",
  "src/programs/keeper/watches/watch-components.test.ts",
];
/** Files that need root and the mail programs or users of a machine, and take seconds each. Not in `check`. */
export const MACHINE = ["src/**/*.machine.test.ts"];
/** Runs a program as the guard's user, which a concurrent test would take for its own server's. */
export const MACHINE_ALONE = ["src/programs/set-up/databases.machine.test.ts"];
export const FUZZ = ["test/fuzz/*.test.ts"];
/** Each of these files makes network namespaces and a whole server. */
export const LAB = ["test/lab/*.test.ts", "test/e2e/*.test.ts", "test/dialogs/*.test.ts"];
/**
 * Makes a thousand guesses at once and measures how long the owner waits, so only work with idle priority runs beside it. It comes
 * first, and adds the system's users, which two servers cannot do at the same time. The files of LONGEST that may run beside it
 * don't start a server on this machine so soon.
 */
export const LAB_ALONE = labFiles(["e2e/known-address"]);
/** Files that measure times of seconds or less and leave the machine mostly idle. They run two at a time, the longest first. */
export const LAB_IN_PAIRS = labFiles(["e2e/slots", "e2e/slow-disk", "lab/firewall"]);
/**
 * Files with thousands of sign-ins or mails, which run two at a time. Those that wait most come first, because they start beside
 * the longest of the pairs.
 */
export const LAB_HEAVY = [
  ...labFiles(["e2e/guessing", "e2e/verifier", "e2e/spraying", "e2e/ladder", "e2e/innocents"]),
  ...labFiles(["e2e/dns", "e2e/open-connections"]),
];
/**
 * The longest start first, so that the run doesn't end with only one of them. A file that computes is next to one that waits.
 */
export const LONGEST = [
  ...labFiles(["e2e/image", "e2e/bare-debian", "e2e/frozen-parts", "e2e/alerts", "e2e/dashboard", "e2e/systemd"]),
  ...labFiles(["e2e/api", "e2e/jails", "e2e/security-script", "e2e/strict-firewall", "e2e/in-use", "e2e/chaos"]),
  ...labFiles(["e2e/my-mailbox-page", "e2e/greylist", "e2e/accounts", "e2e/content-failures", "e2e/faults"]),
  ...labFiles(["e2e/hijack", "e2e/disks", "e2e/quota", "e2e/bans", "e2e/small-machine", "e2e/tasks", "e2e/backup"]),
  ...labFiles(["e2e/fail2ban", "e2e/jail-evidence", "e2e/sent-for-users", "e2e/install", "e2e/my-mailbox"]),
  ...labFiles(["e2e/control", "e2e/full-disk", "e2e/check", "e2e/reverse-proxy", "e2e/logs"]),
  ...labFiles(["e2e/container", "e2e/power-loss", "dialogs/dialogs", "e2e/examples", "e2e/neighbours", "e2e/defaults"]),
  ...labFiles(["lab/set-up-script", "e2e/security-tools", "e2e/clock", "scenarios/scenarios", "fuzz/engine"]),
  "src/jobs/backup/drill.machine.test.ts",
  "src/programs/keeper/verbs.machine.test.ts",
  "src/surfaces/cli/verbs/accounts/encryption-recovery.machine.test.ts",
  "src/host/running/restart-service.machine.test.ts",
  "src/programs/export/export.machine.test.ts",
  "src/jobs/backup/backup.machine.test.ts",
  "src/jobs/backup/restic.machine.test.ts",
  "src/jobs/report/gather.test.ts",
  ...labFiles(["fuzz/replay"]),
];

function labFiles(names: readonly string[]): readonly string[] {
  return names.map((name) => `test/${name}.test.ts`);
}

function testsBelow(...places: readonly string[]): readonly string[] {
  return places.map((place) => `${place}/**/*.test.ts`);
}

/** Keeps results for unchanged files, which saves nine tenths of the time. The linter could check types, but keeps nothing. */
function types(project: string): readonly string[] {
  const kept = ["--incremental", "--tsBuildInfoFile", `${KEPT}/types-${project}.tsbuildinfo`];
  return ["node_modules/.bin/tsc", "-p", project, "--singleThreaded", ...kept];
}

/** Keeps results for unchanged files, which saves two thirds of the time. */
function deadCode(name: string, ...options: readonly string[]): readonly string[] {
  return ["node_modules/.bin/knip", "--no-progress", "--cache", "--cache-location", `${KEPT}/knip-${name}`, ...options];
}
