/**
 * For the Dockerfile: prints the software bill of materials of the image (CycloneDX 1.5). The npm packages are those that
 * the argument, a file from `npm sbom`, lists and the image has; the Debian packages are those that dpkg lists. Omits what
 * `npm sbom` generates again at each run, so that the same image has the same bill.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../src/host/running/checkout.ts";

type Component = Readonly<Record<string, unknown>> & Readonly<{ name: string }>;

const [file = ""] = process.argv.slice(2);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by npm in the same build
const npm = JSON.parse(readFileSync(file, "utf8")) as Readonly<{
  metadata: Readonly<{ component: Component }>;
  components: readonly Component[];
}>;
const built = new Date(Number(process.env["SOURCE_DATE_EPOCH"] ?? "0") * 1_000).toISOString();
const bill = {
  bomFormat: "CycloneDX",
  specVersion: "1.5",
  version: 1,
  metadata: { timestamp: built, component: npm.metadata.component },
  components: [...npm.components.filter(isThere), ...debianPackages()],
};
console.log(JSON.stringify(bill, null, 1));

/**
 * Whether the image has the package. Development packages, the bundler and Node runtimes for other processors are missing there.
 * `npm sbom --omit=dev` would also omit packages that both the server and a development package need.
 */
function isThere({ name }: Component): boolean {
  return existsSync(join(CHECKOUT, "node_modules", name));
}

function debianPackages(): readonly Component[] {
  const format = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\n";
  return execFileSync("dpkg-query", ["-W", "-f", format], { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => {
      const [status, name = "", version = "", architecture = "", source = ""] = line.split("\t");
      if (status !== "installed") return [];
      // https://github.com/package-url/purl-spec, type deb
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}&distro=bookworm`;
      return [{ type: "library", name, version, purl, properties: [{ name: "source", value: source }] }];
    });
}
