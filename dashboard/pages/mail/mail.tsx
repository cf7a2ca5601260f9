import { t } from "../../admin-texts.ts";
import { Parts } from "../list-parts.tsx";
import { MailGreylist, MailSpam } from "./filters.tsx";
import { MailHeld } from "./held.tsx";
import { MailQueue } from "./queue.tsx";

export function MailPage() {
  const words = t.mail;
  return (
    <Parts
      page="mail"
      parts={[
        { name: "queue", title: words.queue, show: MailQueue },
        { name: "held", title: words.held, show: MailHeld },
        { name: "greylist", title: words.greylist, show: MailGreylist },
        { name: "spam", title: words.spam, show: MailSpam },
      ]}
    />
  );
}
