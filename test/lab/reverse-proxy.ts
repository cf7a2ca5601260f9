import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";
import { mustRun } from "./commands.ts";
import type { Lab } from "./lab.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";

export type ProxyKind = "nginx" | "caddy";

/** The name by which the page of the documentation has the dashboard called, in the lab's domain. */
export const DASHBOARD = "dashboard.example.test";

/** The configuration as `docs/reverse-proxy.md` prints it. */
function printed(language: "nginx" | "caddyfile"): string {
  const page = readFileSync(join(CHECKOUT, "docs", "reverse-proxy.md"), "utf8");
  const block = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "m").exec(page)?.[1];
  if (block === undefined) throw new Error(`docs/reverse-proxy.md prints no configuration of ${language}`);
  return block.replaceAll("example.org", "example.test");
}

/** A reverse proxy on the server's host, configured as documented. It ends with `stop`. */
export class ReverseProxy {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(lab: Lab, kind: ProxyKind): Promise<ReverseProxy> {
    const folder = join(lab.directory, kind);
    mkdirSync(folder);
    const argv = kind === "nginx" ? await nginx(folder) : caddy(folder);
    const [program = "", ...rest] = lab.server.inside(argv);
    const child = spawn(program, rest, {
      stdio: "ignore",
      env: { ...process.env, HOME: folder },
    });
    const wish = { from: "198.51.100.10", to: SERVER.v4, port: 443 };
    const visitor = await WebClient.overTls(lab.sender, wish, DASHBOARD);
    await until(`${kind} serves`, async () => (await visitor.ask("GET", "/healthz/live")).status === 200);
    return new ReverseProxy(child);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "close");
    this.#child.kill("SIGTERM");
    await ended;
  }
}

/** What Debian's nginx.conf has around the block, with files of the lab. */
async function nginx(folder: string): Promise<readonly string[]> {
  const live = join(folder, "live");
  mkdirSync(live);
  const [cert, key] = [join(live, "fullchain.pem"), join(live, "privkey.pem")];
  const certificate = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${DASHBOARD}`];
  await mustRun(["openssl", "req", "-x509", ...certificate, "-keyout", key, "-out", cert]);
  const server = printed("nginx").replaceAll(`/etc/letsencrypt/live/${DASHBOARD}`, live);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}\n` +
      `http { access_log off; ${temporary.join(" ")}\n${server}}\n`,
  );
  return ["nginx", "-c", file, "-e", join(folder, "error.log")];
}

/** A certificate from an authority of its own: none on the internet can be reached. */
function caddy(folder: string): readonly string[] {
  const file = join(folder, "Caddyfile");
  const own = `{\n  local_certs\n  skip_install_trust\n  admin off\n  storage file_system ${folder}/storage\n  log {\n    output file ${folder}/log\n  }\n}\n`;
  writeFileSync(file, `${own}${printed("caddyfile")}`);
  return ["caddy", "run", "--config", file, "--adapter", "caddyfile"];
}
