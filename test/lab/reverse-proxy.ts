import type { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";
import type { Lab } from "./lab.ts";
import { SERVER } from "./network.ts";
import { writeCertificate } from "./tls-server.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";

/** `waf`: nginx with ModSecurity and its core rules. */
type ProxyKind = "nginx" | "caddy" | "waf";

/** The examples' name of the dashboard, in the lab's domain. */
export const DASHBOARD = "dashboard.example.test";

/** A configuration of `examples`, with the lab's name. */
const example = (file: "nginx.conf" | "Caddyfile" | "modsecurity.conf"): string =>
  readFileSync(join(CHECKOUT, "examples", file), "utf8").replaceAll("example.org", "example.test");

/** A reverse proxy on the server's host, configured as documented. */
export async function startReverseProxy(lab: Lab, kind: ProxyKind): Promise<ChildProcess> {
  const folder = lab.path(kind);
  mkdirSync(folder);
  const argv = kind === "caddy" ? caddy(folder) : await nginx(folder, kind === "waf");
  const child = lab.server.spawn(["env", `HOME=${folder}`, ...argv]);
  const visitor = await WebClient.overTls(lab.sender, { from: "198.51.100.10", to: SERVER.v4, port: 443 }, DASHBOARD);
  await until(`${kind} serves`, async () => (await visitor.ask("GET", "/healthz/live")).status === 200);
  return child;
}

/** Debian's nginx.conf around the block, with files of the lab. */
async function nginx(folder: string, isGuarded: boolean): Promise<readonly string[]> {
  const live = join(folder, "live");
  mkdirSync(live);
  await writeCertificate({ cert: join(live, "fullchain.pem"), key: join(live, "privkey.pem") }, DASHBOARD);
  const plain = example("nginx.conf")
    .replaceAll(`/etc/letsencrypt/live/${DASHBOARD}`, live)
    .replace("    location / {", `${printed("reverse-proxy.md", "nginx")}\n    location / {`);
  const server = isGuarded ? guarded(plain, folder) : plain;
  const parts = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = parts.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  const file = join(folder, "nginx.conf");
  const main = `user www-data; daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}`;
  const http = `http { access_log off; ${temporary}\n${server}}`;
  writeFileSync(file, `${isGuarded ? MODULES : ""}${main}\n${http}\n`);
  return ["nginx", "-c", file, "-e", join(folder, "error.log")];
}

/** The first block of this language on a page of `docs`. */
function printed(page: string, language: "nginx" | "caddy"): string {
  const text = readFileSync(join(CHECKOUT, "docs", page), "utf8");
  const block = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "m").exec(text)?.[1];
  if (block === undefined) throw new Error(`docs/${page} prints nothing for ${language}`);
  return block;
}

/** Loads the modules as Debian's packages do. */
const MODULES = ["ndk_http_module", "ngx_http_modsecurity_module"]
  .map((name) => `load_module /usr/lib/nginx/modules/${name}.so;\n`)
  .join("");

/** The server with the two lines of docs/waf.md, and with the rules of `examples`. */
function guarded(server: string, folder: string): string {
  const rules = join(folder, "waf.conf");
  writeFileSync(rules, example("modsecurity.conf").replaceAll("/var/log/nginx", folder));
  const named = printed("waf.md", "nginx").replaceAll("/etc/nginx/ghostinbox-waf.conf", rules);
  return server.replace("    location / {", `${named}\n    location / {`);
}

/** Uses a certificate from a local authority, because none on the internet can be reached. */
function caddy(folder: string): readonly string[] {
  const file = join(folder, "Caddyfile");
  const own = `{\n  local_certs\n  skip_install_trust\n  admin off\n  storage file_system ${folder}/storage\n  log {\n    output file ${folder}/log\n  }\n}\n`;
  const server = example("Caddyfile").replace("\treverse_proxy 127.0.0.1:3000\n", printed("reverse-proxy.md", "caddy"));
  writeFileSync(file, `${own}${server}`);
  return ["caddy", "run", "--config", file, "--adapter", "caddyfile"];
}
