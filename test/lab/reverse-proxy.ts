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

/** `waf`: nginx with ModSecurity and its core rules. */
export type ProxyKind = "nginx" | "caddy" | "waf";

/** The examples' name of the dashboard, in the lab's domain. */
export const DASHBOARD = "dashboard.example.test";

/** A configuration of `examples`, with the lab's name. */
function example(file: "nginx.conf" | "Caddyfile" | "modsecurity.conf"): string {
  return readFileSync(join(CHECKOUT, "examples", file), "utf8").replaceAll("example.org", "example.test");
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
    const argv = kind === "caddy" ? caddy(folder) : await nginx(folder, kind === "waf");
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

/** Debian's nginx.conf around the block, with files of the lab. */
async function nginx(folder: string, isGuarded: boolean): Promise<readonly string[]> {
  const live = join(folder, "live");
  mkdirSync(live);
  const [cert, key] = [join(live, "fullchain.pem"), join(live, "privkey.pem")];
  const certificate = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${DASHBOARD}`];
  await mustRun(["openssl", "req", "-x509", ...certificate, "-keyout", key, "-out", cert]);
  const plain = withPath(example("nginx.conf").replaceAll(`/etc/letsencrypt/live/${DASHBOARD}`, live));
  const server = isGuarded ? guarded(plain, folder) : plain;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `${isGuarded ? MODULES : ""}user www-data; daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}\n` +
      `http { access_log off; ${temporary.join(" ")}\n${server}}\n`,
  );
  return ["nginx", "-c", file, "-e", join(folder, "error.log")];
}

/** The server with the path of docs/reverse-proxy.md too. */
function withPath(server: string): string {
  const page = readFileSync(join(CHECKOUT, "docs", "reverse-proxy.md"), "utf8");
  const block = /^```nginx\n([^]*?)^```$/m.exec(page)?.[1];
  if (block === undefined) throw new Error("docs/reverse-proxy.md prints no path for nginx");
  return server.replace("    location / {", `${block}\n    location / {`);
}

/** The same for Caddy. */
function caddyPath(server: string): string {
  const page = readFileSync(join(CHECKOUT, "docs", "reverse-proxy.md"), "utf8");
  const block = /^```caddy\n([^]*?)^```$/m.exec(page)?.[1];
  if (block === undefined) throw new Error("docs/reverse-proxy.md prints no path for Caddy");
  return server.replace("\treverse_proxy 127.0.0.1:3000\n", block);
}

/** As Debian's packages load them. */
const MODULES = ["ndk_http_module", "ngx_http_modsecurity_module"]
  .map((name) => `load_module /usr/lib/nginx/modules/${name}.so;\n`)
  .join("");

/** The server with the two lines of docs/waf.md, and with the rules of `examples`. */
function guarded(server: string, folder: string): string {
  const page = readFileSync(join(CHECKOUT, "docs", "waf.md"), "utf8");
  const lines = /^```nginx\n([^]*?)^```$/m.exec(page)?.[1];
  if (lines === undefined) throw new Error("docs/waf.md prints no configuration of nginx");
  const rules = join(folder, "waf.conf");
  writeFileSync(rules, example("modsecurity.conf").replaceAll("/var/log/nginx", folder));
  const named = lines.replaceAll("/etc/nginx/ghostinbox-waf.conf", rules);
  return server.replace("    location / {", `${named}\n    location / {`);
}

/** A certificate from a local authority: none on the internet can be reached. */
function caddy(folder: string): readonly string[] {
  const file = join(folder, "Caddyfile");
  const own = `{\n  local_certs\n  skip_install_trust\n  admin off\n  storage file_system ${folder}/storage\n  log {\n    output file ${folder}/log\n  }\n}\n`;
  writeFileSync(file, `${own}${caddyPath(example("Caddyfile"))}`);
  return ["caddy", "run", "--config", file, "--adapter", "caddyfile"];
}
