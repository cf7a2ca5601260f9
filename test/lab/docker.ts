import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseCapabilities } from "../../src/host/running/container.ts";
import { patience } from "../kit/patience.ts";
import { childrenOf, mustRun, type RunOptions, runProgram } from "./commands.ts";
import { type DebianTree, whyNoDebian } from "./debian-tree.ts";
import type { Host } from "./host.ts";
import { Typist } from "./typist.ts";
import { until } from "./wait.ts";

/** The Dockerfile's base image. The test makes it, without a registry. */
export const BASE = "debian:bookworm-slim";
const ETC = "/etc/docker";
/**
 * Runs in separate mount and process namespaces, so that all containers end with it and nothing stays mounted. `ip netns exec`
 * hides the control groups. The daemon's changes in /etc/docker disappear with it.
 */
const DAEMON = `
mount --make-rprivate /
mount -t proc proc /proc
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs tmpfs ${ETC}
directory=$1; shift
exec dockerd --data-root "$directory/data" --exec-root "$directory/run" --pidfile "$directory/pid" \\
  -H "unix://$directory/sock" "$@"
`;
/** A capability that this machine cannot give. With it in the list, no privileged container starts. */
const LACKING = (["CapBnd:\t000001ffffffffff", readFileSync("/proc/self/status", "utf8")] as const)
  .map((status) => parseCapabilities(status, "CapBnd"))
  .reduce((all, own) => all.filter((name) => !own.includes(name)));
/** Starts containers as Docker requests, without that capability. */
const RUNTIME = `#!/bin/sh
for argument; do
  case $before in
    --bundle) wanted=$argument/config.json ;;
    --process) wanted=$argument ;;
    *) wanted= ;;
  esac
  [ "$wanted" = "" ] || sed -i -E 's/"CAP_(${LACKING.join("|")})",?//g; s/,\\]/]/g' "$wanted"
  before=$argument
done
exec runc "$@"
`;
/** Not in Debian's own slim image either (https://github.com/debuerreotype/debuerreotype, .slimify-excludes). */
const SLIM = ["info", "linda", "lintian", "locale", "man"].map((name) => `/usr/share/${name}/*`);
const DOC = "path-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\n";
const BUILD_MS = 600_000;

/** Why no image can be built here; null if one can. */
export function whyNoDocker(): string | null {
  for (const name of ["dockerd", "docker-compose"])
    if (spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0) return `there is no ${name}`;
  return whyNoDebian();
}

export type Docker = ReturnType<typeof dockerIn>;

/** A separate daemon, with everything in one directory. */
export function dockerIn(directory: string) {
  let daemon: ChildProcess | null = null;
  let madeEtc = false;
  const at = (name: string): string => join(directory, name);
  const cgroup = `ghostinbox-lab-${process.pid}`;
  const reaching = (options: RunOptions): RunOptions => {
    const env = { DOCKER_HOST: `unix://${at("sock")}`, DOCKER_CONFIG: at("cli"), DOCKER_BUILDKIT: "0" };
    return { ...options, env: { ...env, ...options.env } };
  };

  function runtime(): readonly string[] {
    if (LACKING.length === 0) return [];
    writeFileSync(at("runtime"), RUNTIME, { mode: 0o755 });
    return [`--add-runtime=lab=${at("runtime")}`, "--default-runtime=lab"];
  }

  const run = (argv: readonly string[], options: RunOptions = {}) => runProgram(["docker", ...argv], reaching(options));

  return {
    /**
     * Starts it in the network of a host, with Docker's bridge and published ports, including IPv6. For building, starts it in the
     * machine's, where it has no network and changes none.
     */
    start: async (network: Host | null): Promise<void> => {
      const lone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", DAEMON, "-", directory];
      const more = [...runtime(), `--cgroup-parent=${cgroup}`];
      const [program = "", ...rest] =
        network === null
          ? [...lone, "--bridge=none", "--iptables=false", "--ip6tables=false", ...more]
          : network.inside([...lone, "--experimental", "--ip6tables=true", ...more]);
      if (!existsSync(ETC)) {
        mkdirSync(ETC);
        madeEtc = true;
      }
      const log = openSync(at("log"), "a");
      const started = spawn(program, rest, { stdio: ["ignore", log, log] });
      daemon = started;
      await until("docker answers", async () => {
        if ((await run(["version"])).code === 0) return true;
        if (started.exitCode === null && started.signalCode === null) return false;
        throw new Error(`dockerd has ended: ${readFileSync(at("log"), "utf8").slice(-2_000)}`);
      });
    },

    run,
    must: (argv: readonly string[], options: RunOptions = {}) => mustRun(["docker", ...argv], reaching(options)),
    /** Waits until a command that keeps running, such as `logs --follow`, prints this; polling would take a third of a core. */
    sees: async (argv: readonly string[], pattern: RegExp, deadlineMs: number): Promise<void> => {
      const { env } = reaching({});
      const child = spawn("docker", argv, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
      const ended = once(child, "close");
      const timer = setTimeout(() => child.kill(), patience(deadlineMs));
      let shown = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => {
          shown += chunk.toString();
          if (pattern.test(shown)) child.kill();
        });
      await ended;
      clearTimeout(timer);
      assert.match(shown, pattern, `docker ${argv.join(" ")}, for ${deadlineMs} ms at most`);
    },

    compose: (argv: readonly string[], options: RunOptions = {}): Promise<string> =>
      mustRun(["docker-compose", ...argv], reaching({ deadlineMs: 120_000, ...options })),
    /**
     * Adds arguments to the lines of docs/docker.md, because a build has no bridge and may use another registry, and a container must
     * know the lab's names. Also runs Debian's Compose, which is a separate program.
     */
    add: (toBuild: readonly string[], toRun: readonly string[]): void => {
      mkdirSync(at("bin"));
      const script = `#!/bin/sh
PATH=\${PATH#*:}
case $1 in
  build) shift; exec docker build ${quoted(toBuild)} "$@" ;;
  run) shift; exec docker run ${quoted(toRun)} "$@" ;;
  compose) shift; exec docker-compose "$@" ;;
esac
exec docker "$@"
`;
      writeFileSync(join(at("bin"), "docker"), script, { mode: 0o755 });
    },

    /** Types a line at a separate terminal in this directory. */
    terminal: (line: string, cwd: string): Typist => {
      const PATH = `${at("bin")}:${process.env["PATH"]}`;
      const env = Object.entries({ ...reaching({}).env, PATH }).map(([name, value]) => `${name}=${value}`);
      return new Typist((argv) => ["env", `--chdir=${cwd}`, ...env, ...argv], line);
    },

    /** Types lines as an owner in this directory. */
    types: (lines: string, cwd: string, options: RunOptions = {}): Promise<string> =>
      mustRun(["bash", "-ec", `cd "$0"\n${lines}`, cwd], reaching({ deadlineMs: 120_000, ...options })),
    /** Makes Debian's own slim image, with the certificate authorities that this machine's administrator added. */
    makeBase: async (tree: DebianTree): Promise<void> => {
      const besides = at("base");
      mkdirSync(join(besides, "etc/dpkg/dpkg.cfg.d"), { recursive: true });
      const excludes = SLIM.map((path) => `path-exclude ${path}\n`).join("");
      writeFileSync(join(besides, "etc/dpkg/dpkg.cfg.d/docker"), excludes + DOC);
      tree.configureApt(besides);
      const authorities = "usr/local/share/ca-certificates";
      if (existsSync(join("/", authorities)))
        cpSync(join("/", authorities), join(besides, authorities), { recursive: true });
      const without = SLIM.map((path) => `--exclude=.${path}`);
      // Docker takes no name twice, not even that of a directory.
      const script = `
      (cd "$2"; find . ! -type d -print0) | tar -c "\${@:3}" -C "$1" . -C "$2" --null -T - | docker import - "$0"`;
      const argv = ["bash", "-o", "pipefail", "-c", script, BASE, tree.root, besides, ...without];
      await mustRun(argv, reaching({ deadlineMs: BUILD_MS }));
      rmSync(besides, { recursive: true });
    },

    /** Its containers end with it; images and volumes stay for the next start. */
    stop: async (): Promise<void> => {
      const stopped = daemon;
      if (stopped === null || stopped.exitCode !== null || stopped.signalCode !== null) return;
      const ended = once(stopped, "close");
      for (const pid of childrenOf(stopped.pid ?? 0)) process.kill(pid, "SIGTERM");
      const timer = setTimeout(() => stopped.kill("SIGKILL"), 20_000);
      await ended;
      clearTimeout(timer);
      if (madeEtc) rmdirSync(ETC);
      madeEtc = false;
      const argv = [join("/sys/fs/cgroup", cgroup), "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"];
      spawnSync("find", argv, { stdio: "ignore" });
    },
  };
}

/** Quotes for a shell. */
const quoted = (argv: readonly string[]): string => argv.map((one) => `'${one}'`).join(" ");
