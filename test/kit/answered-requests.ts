import type { TestContext } from "node:test";

const { fetch } = globalThis;

/**
 * Answers the page's requests until the test ends, and returns them as they are made, such as `POST bans {"ip":"192.0.2.1"}`.
 * `answer` gets them without a body. A second call in a test replaces the first.
 */
export function answerRequests(t: TestContext, answer: (request: string) => unknown): string[] {
  const asked: string[] = [];
  globalThis.fetch = async (path, { method = "GET", body = "" } = {}) => {
    const request = `${method} ${typeof path === "string" ? path.replace("api/v1/", "") : ""}`;
    asked.push(`${request} ${typeof body === "string" ? body : ""}`.trim());
    const answered = await answer(request);
    return answered instanceof Response ? answered : Response.json(answered ?? {});
  };
  t.after(() => {
    globalThis.fetch = fetch;
  });
  return asked;
}
