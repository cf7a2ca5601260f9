import type { JSX } from "preact";
import { t } from "../admin-texts.ts";
import { hrefOf, route } from "../route.ts";
import { may } from "../session.ts";
import { Heading } from "../shell.tsx";
import { AlertsPart } from "./alerts-part.tsx";
import { DnsPart } from "./dns-part.tsx";
import { Security } from "./security.tsx";
import { SessionsCard } from "./sessions-card.tsx";
import { SystemState } from "./system-state.tsx";
import { TokensCard } from "./tokens-card.tsx";
import { UpkeepPart } from "./upkeep-part.tsx";

type Part = Readonly<{
  name: "state" | "alerts" | "upkeep" | "dns" | "access" | "security";
  isOffered: boolean;
  show: () => JSX.Element;
}>;

export function SystemPage() {
  const words = t.value.system;
  const parts: readonly Part[] = [
    { name: "state", isOffered: true, show: SystemState },
    { name: "alerts", isOffered: true, show: AlertsPart },
    { name: "upkeep", isOffered: true, show: UpkeepPart },
    { name: "dns", isOffered: true, show: DnsPart },
    { name: "access", isOffered: may("admin"), show: Access },
    { name: "security", isOffered: may("admin"), show: Security },
  ];
  const offered = parts.filter(({ isOffered }) => isOffered);
  const shown = offered.find(({ name }) => name === route.value.query["show"]) ?? offered[0];
  if (shown === undefined) return <Heading>{words.title}</Heading>;
  const Shown = shown.show;
  return (
    <>
      <Heading>{words.title}</Heading>
      <nav class="tabs" aria-label={words.parts}>
        {offered.map(({ name }) => (
          <a
            key={name}
            href={hrefOf("system", { show: name === "state" ? "" : name })}
            aria-current={name === shown.name ? "page" : undefined}
          >
            {words[name]}
          </a>
        ))}
      </nav>
      <Shown key={shown.name} />
    </>
  );
}

function Access() {
  return (
    <>
      <SessionsCard />
      <TokensCard />
    </>
  );
}
