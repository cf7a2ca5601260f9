import { faultsOf } from "../kit/json-schema.ts";
import type { WebAnswer } from "./web-client.ts";

type Content = Readonly<Record<string, Readonly<{ schema?: unknown }>>>;
type Response = Readonly<{ content?: Content }>;
export type Operation = Readonly<{
  security: readonly Readonly<Record<string, unknown>>[];
  requestBody?: object;
  responses: Readonly<Record<string, Response | Readonly<{ $ref: string }>>>;
}>;

/** `/openapi.json` as the running server gives it. */
export class Description {
  readonly #paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly #responses: Readonly<Record<string, Response>>;

  constructor(document: unknown) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what lacks here fails each test
    const { paths, components } = document as {
      paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
      components: Readonly<{ responses: Readonly<Record<string, Response>> }>;
    };
    this.#paths = paths;
    this.#responses = components.responses;
  }

  /** `GET /api/v1/why/{ip}`, all of them. */
  routes(): readonly string[] {
    return Object.entries(this.#paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  methodsOf(path: string): readonly string[] {
    return Object.keys(this.#paths[path] ?? {}).map((method) => method.toUpperCase());
  }

  operation(route: string): Operation {
    const [method = "", path = ""] = route.split(" ");
    const operation = this.#paths[path]?.[method.toLowerCase()];
    if (operation === undefined) throw new Error(`${route} is not described`);
    return operation;
  }

  /** What of an answer is other than described: its status, its type, its body. */
  faults(route: string, answer: WebAnswer): readonly string[] {
    const { responses } = this.operation(route);
    const found = responses[answer.status] ?? responses["default"] ?? {};
    const response = "$ref" in found ? this.#responses[found.$ref.split("/").at(-1) ?? ""] : found;
    const isDescribed = responses[answer.status] !== undefined || answer.status >= 400;
    if (response === undefined || !isDescribed) return [`${answer.status} is not described`];
    const types = Object.keys(response.content ?? {});
    if (types.length === 0) return answer.text === "" ? [] : [`a body where none is described: ${answer.text}`];
    const type = answer.headers["content-type"] ?? "";
    const described = response.content?.[type];
    if (described === undefined) return [`type ${type}, described ${types.join(", ")}`];
    return described.schema === undefined ? [] : faultsOf(described.schema, answer.json());
  }
}
