import { t } from "../admin-texts.ts";
import { hrefOf, route } from "../route.ts";
import { Heading } from "../shell.tsx";
import { AllowList } from "./allow-list.tsx";
import { BansInForce } from "./bans-in-force.tsx";

export function BansPage() {
  const { show } = route.value.query;
  const words = t.value.bans;
  const isAllowList = show === "allowed";
  const current = (isIt: boolean): "page" | undefined => (isIt ? "page" : undefined);
  return (
    <>
      <Heading>{words.title}</Heading>
      <nav class="tabs" aria-label={words.which}>
        <a href={hrefOf("bans")} aria-current={current(!isAllowList)}>
          {words.inForce}
        </a>
        <a href={hrefOf("bans", { show: "allowed" })} aria-current={current(isAllowList)}>
          {words.allowed}
        </a>
      </nav>
      {isAllowList ? <AllowList /> : <BansInForce />}
    </>
  );
}
