import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, createReadStream, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { CHECKOUT } from "./checkout.ts";
import { mustRun } from "./commands.ts";

const SUITE = "bookworm";
const MAKE = join(CHECKOUT, "test/lab/make-debian.sh");

export type DebianTree = Awaited<ReturnType<typeof makeDebianTree>>;

/**
 * A Debian 12 with only what every Debian has, and an archive of packages for it. Making them takes 20 s of CPU time, so the
 * files of one run share them. `ownDirectory`: where to make them outside of a run.
 */
export async function makeDebianTree(ownDirectory: string) {
  const directory = process.env["TEST_RUN_DIRECTORY"] ?? ownDirectory;
  mkdirSync(directory, { recursive: true });
  await mustRun(["bash", MAKE, directory], { deadlineMs: 480_000 });
  const archive = serve(join(directory, "archive"));
  await once(archive.listen(0, "127.0.0.1"), "listening");
  const address = archive.address();
  const port = typeof address === "object" ? address?.port : null;
  return {
    /** Must not be changed. */
    root: join(directory, "debian"),

    /** Writes files in `root` that let apt reach the archive from this machine's network, and that resolve names. */
    configureApt: (root: string): void => {
      for (const name of ["apt.conf.d", "sources.list.d"]) mkdirSync(join(root, "etc/apt", name), { recursive: true });
      writeFileSync(join(root, "etc/apt/sources.list"), `deb [trusted=yes] http://127.0.0.1:${port} ${SUITE} main\n`);
      // There are no translated package descriptions.
      writeFileSync(join(root, "etc/apt/apt.conf.d/00reach"), 'Acquire::Languages "none";\n');
      copyFileSync("/etc/resolv.conf", join(root, "etc/resolv.conf"));
    },

    close: (): void => {
      archive.closeAllConnections();
      archive.close();
    },
  };
}

/** Returns why no Debian can be made here; null if one can. */
export function whyNoDebian(): string | null {
  if (spawnSync("debootstrap", ["--version"]).status !== 0) return "debootstrap is missing";
  const argv = ["indextargets", "--format", "$(RELEASE) $(COMPONENT)", "Created-By: Packages"];
  const targets = spawnSync("apt-get", argv, { encoding: "utf8" }).stdout ?? "";
  return targets.split("\n").includes(`${SUITE} main`) ? null : `apt knows no source of Debian's ${SUITE}`;
}

/** Serves the files of a directory, like a Debian mirror. */
function serve(directory: string): Server {
  return createServer((request, response) => {
    const path = join(directory, normalize(decodeURIComponent(request.url ?? "/")));
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Length": statSync(path).size });
    // A client that goes away is fine.
    pipeline(createReadStream(path), response).catch(() => {});
  });
}
