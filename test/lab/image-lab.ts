import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";
import { mustRun } from "./commands.ts";
import { rootOf } from "./dns.ts";
import { Docker } from "./docker.ts";
import { Lab } from "./lab.ts";
import { PASSWORD } from "./product.ts";
import { until } from "./wait.ts";

/** Of the image, and of the container unless another name is given. */
export const NAME = "ghostinbox";
export const START_MS = 90_000;
const READY = "Ctrl-C stops everything.";

/** The image as the Dockerfile builds it, and containers of it whose ports the lab's server publishes. */
export class ImageLab {
  readonly lab: Lab;
  readonly docker: Docker;

  private constructor(lab: Lab, docker: Docker) {
    this.lab = lab;
    this.docker = docker;
  }

  static async make(): Promise<ImageLab> {
    const lab = await Lab.make();
    const directory = join(lab.directory, "docker");
    mkdirSync(directory);
    const docker = new Docker(directory);
    try {
      await docker.start(null);
      await docker.makeBase();
      const registry = (await mustRun(["npm", "config", "get", "registry"])).trim();
      await docker.build(CHECKOUT, NAME, "--build-arg", `NPM_REGISTRY=${registry}`);
      await docker.stop();
      await docker.start(lab.server);
      return new ImageLab(lab, docker);
    } catch (error) {
      await docker.stop();
      lab.remove();
      throw error;
    }
  }

  async remove(): Promise<void> {
    await this.docker.stop();
    this.lab.remove();
  }

  /** A compose file with what the lab sets besides. JSON is YAML. */
  writeCompose(file: string, service: string): void {
    const additions = { environment: this.#environment(), volumes: [this.#names()] };
    writeFileSync(file, JSON.stringify({ services: { [service]: additions } }));
  }

  /** `docker run`, in place of the container that has the name. */
  async run(...options: readonly string[]): Promise<void> {
    await this.docker.run(["rm", "--force", NAME]);
    const variables = Object.entries({ ...this.#environment(), GHOSTINBOX_DOMAIN: "example.test" });
    const env = variables.flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    const argv = ["run", "--detach", "--name", NAME, ...env, "--volume", this.#names(), ...options, NAME];
    await this.docker.must(argv);
    await this.runs();
  }

  /** Waits until it says that it runs, since its last start. */
  async runs(name: string = NAME): Promise<void> {
    const since = await this.inspect("{{.State.StartedAt}}", name);
    await until(
      `${name} runs`,
      async () => {
        const { stdout, stderr } = await this.docker.run(["logs", "--since", since, name]);
        assert.equal(await this.inspect("{{.State.Running}}", name), "true", stdout + stderr);
        return stdout.includes(READY);
      },
      START_MS,
    );
  }

  async inspect(format: string, name: string = NAME): Promise<string> {
    return (await this.docker.must(["inspect", "--format", format, name])).trim();
  }

  async inside(...argv: readonly string[]): Promise<string> {
    return this.docker.must(["exec", NAME, ...argv]);
  }

  async addAccount(name: string): Promise<void> {
    const argv = ["exec", "-i", NAME, "ghostinbox", "account", "add", name, "--password-stdin"];
    await this.docker.must(argv, { input: `${PASSWORD}\n` });
  }

  async status(): Promise<string> {
    return this.inside("ghostinbox", "status");
  }

  /** The lab's own names, and nothing that would make each test wait. */
  #environment(): Readonly<Record<string, string>> {
    const { hints, anchor } = rootOf("/lab");
    return {
      GHOSTINBOX_DNS__ROOT_HINTS: hints,
      GHOSTINBOX_DNS__TRUST_ANCHOR: anchor,
      GHOSTINBOX_DNSBL__ZONES: "[]",
      GHOSTINBOX_GREYLIST__ENABLED: "false",
      GHOSTINBOX_BANS__NEIGHBOURS: "1000",
    };
  }

  #names(): string {
    return `${join(this.lab.directory, "dns")}:/lab/dns:ro`;
  }
}
