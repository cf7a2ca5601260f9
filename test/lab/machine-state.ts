import type { BareDebian } from "./bare-debian.ts";

/** All that a program could have left on a machine, a line each. */
export type MachineState = Readonly<{
  packages: readonly string[];
  users: readonly string[];
  files: readonly string[];
  processes: readonly string[];
}>;

/** Lists and logs of apt and dpkg themselves, caches that they make from what is installed, npm's, copies of the users. */
const NOT_LEFT = [
  "/var/cache/apt",
  "/var/lib/apt",
  "/var/cache/debconf",
  "/var/cache/ldconfig",
  "/var/lib/dpkg",
  "/var/log/apt",
  "/var/log/alternatives.log",
  "/var/log/dpkg.log",
  "/root/.npm",
  "'/etc/*-'",
];
const FILES = `
find / -xdev \\( ${NOT_LEFT.map((path) => `-path ${path}`).join(" -o ")} \\) -prune -o -printf '%y %m %u:%g %p -> %l\\n'
find / -xdev \\( ${NOT_LEFT.map((path) => `-path ${path}`).join(" -o ")} \\) -prune -o -type f -print0 | xargs -0 sha256sum
`;

const PROCESSES = 'for one in /proc/[0-9]*; do tr "\\0" " " <$one/cmdline 2>/dev/null && echo; done';

export async function machineState(machine: BareDebian): Promise<MachineState> {
  const shown = async (script: string): Promise<readonly string[]> =>
    lines(await machine.must(["bash", "-c", script], { deadlineMs: 120_000 }));
  return {
    packages: await shown("dpkg-query -W -f '${Status} ${Package} ${Version}\\n'"),
    users: await shown("getent passwd; getent group; getent shadow; getent gshadow"),
    files: await shown(FILES),
    processes: (await shown(PROCESSES)).filter((line) => !line.includes(PROCESSES)),
  };
}

/** Lines that are in one state only: `-` before, `+` after. */
export function changes(before: readonly string[], after: readonly string[]): readonly string[] {
  const [had, has] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ];
}

function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
