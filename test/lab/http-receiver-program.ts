/**
 * Accepts everything sent over HTTP: `http-receiver-program.ts ADDRESS PORT FILE`. Each request is a line of JSON in FILE.
 * While FILE.refuse exists it answers 503 and stores nothing.
 */
import { appendFileSync, existsSync } from "node:fs";
import { createServer } from "node:http";

const [address = "", port = "", file = ""] = process.argv.slice(2);

createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (body += chunk));
  request.on("end", () => {
    const refuses = existsSync(`${file}.refuse`);
    if (!refuses) {
      const { url, headers } = request;
      appendFileSync(file, `${JSON.stringify({ at: Date.now(), url, headers, body })}\n`);
    }
    response.writeHead(refuses ? 503 : 200).end(refuses ? "not now" : "{}");
  });
}).listen(Number(port), address);
