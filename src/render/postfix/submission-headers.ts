import { RENDERED_BY, type RenderedFile } from "../site.ts";
import { FORGED_HEADERS } from "./milters.ts";

/**
 * Removes headers that reveal the user's address and program, from the mail program or our own server (header_checks(5)).
 * Applied only to the headers of the submitted mail, never to its parts or to an enclosed mail, which may be signed.
 * `Mime-Version` stays: some programs put their name into its comment, but Postfix treats it as a part's header.
 */
const FILE = "submission-headers";

/** The smtpd(8) option that selects the cleanup service below for submitted mail. */
export const SUBMISSION_CLEANUP = "cleanup-submission";

export const submissionCleanup: readonly string[] = [
  `${SUBMISSION_CLEANUP} unix n - n - 0 cleanup`,
  `  -o header_checks=regexp:$config_directory/${FILE}`,
  "  -o mime_header_checks=",
  "  -o nested_header_checks=",
];

/** regexp_table(5). The trace that RFC 5321 section 4.4 requires stays, without the client's name and address. */
export function renderSubmissionHeaders(): RenderedFile {
  const by = "by ([^ ]+) \\(Postfix\\)[[:space:]]+with ([A-Z0-9]+) id ([A-Za-z0-9]+)";
  return {
    name: FILE,
    text: [
      `# ${RENDERED_BY}`,
      `/^Received: from .*[[:space:]]${by}.*; ([^;]+)$/ REPLACE Received: by $1 with $2 id $3; $4`,
      "/^Received:/ IGNORE",
      ...FORGED_HEADERS,
      "/^X-(Originating|Client|Sender|Real|Source|Remote)-IP:/ IGNORE",
      "/^X-(Forwarded-For|PHP-Originating-Script|PHP-Script|Authenticated-Sender|Sender|Mailer|MimeOLE|Enigmail):/ IGNORE",
      "/^X-(Mail-Agent|Newsreader|Library|Apple-[A-Za-z-]+|Universally-Unique-Identifier):/ IGNORE",
      "/^(User-Agent|Mail-Client|X-User-Agent|X-Originating-Client|X-Originating-Host):/ IGNORE",
      "",
    ].join("\n"),
    mode: 0o644,
  };
}
