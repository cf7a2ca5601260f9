import type { TestContext } from "node:test";

/** Answers the page's requests, and returns them as they are made, such as `POST bans {"ip":"192.0.2.1"}`. `answer` gets them without a body. */
export function answerRequests(t: TestContext, answer: (request: string) => unknown): string[] {
  const asked: string[] = [];
  t.mock.method(globalThis, "fetch", async (path: string, { method = "GET", body = "" }: RequestInit = {}) => {
    const request = `${method} ${path.replace("api/v1/", "")}`;
    asked.push(`${request} ${typeof body === "string" ? body : ""}`.trim());
    const answered = await answer(request);
    return answered instanceof Response ? answered : Response.json(answered ?? {});
  });
  return asked;
}
