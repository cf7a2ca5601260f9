import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { asUser, endProgram } from "./commands.ts";
import type { Host } from "./host.ts";

/** Ignores SIGTERM, like a program that an attacker left behind; the first argument is a file to hold open. */
const PROGRAM = `
  $| = 1;
  $SIG{$_} = "IGNORE" for qw(TERM INT HUP);
  chdir "/";
  if (@ARGV) { open(our $file, ">", $ARGV[0]) or die $!; }
  print "here\\n";
  sleep 600 while 1;`;

/** The server's own users. */
export const OUR_USERS = [
  "ghostinbox",
  "ghostinbox-web",
  "ghostinbox-export",
  "ghostinbox-mail",
  "ghostinbox-fail2ban",
];

type Wish = Readonly<{ host: Host; user: string; file?: string; within?: readonly string[] }>;

/** A process of one of the server's users. */
export async function startOutliver({ host, user, file, within = [] }: Wish) {
  const perl = ["perl", "-e", PROGRAM, ...(file === undefined ? [] : [file])];
  const [program = "", ...argv] = host.inside([...within, ...asUser(user), ...perl]);
  const child = spawn(program, argv, { stdio: ["ignore", "pipe", "inherit"], env: { PATH: process.env["PATH"] } });
  assert.equal(String((await once(child.stdout, "data"))[0]), "here\n");
  return {
    isThere: () => child.exitCode === null && child.signalCode === null,
    end: () => endProgram(child, "SIGKILL"),
  };
}
