import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { t } from "./messages.ts";
import { useProgram, Waiting } from "./parts.tsx";
import type { PageName } from "./route.ts";
import { Heading } from "./shell.tsx";

type Pages = Partial<Readonly<Record<PageName, () => JSX.Element>>>;

/** Two pages have a separate program; `further` has all others. */
function programOf(name: PageName): Promise<Pages> {
  if (name === "now") return import("./pages/now.tsx").then(({ NowPage }) => ({ now: NowPage }));
  if (name === "me") return import("./pages/me.tsx").then(({ MePage }) => ({ me: MePage }));
  return import("./pages/further.ts");
}

const here = signal<Pages>({});

export function Page({ name }: Readonly<{ name: PageName }>) {
  const Here = here.value[name];
  if (Here === undefined) return <Coming name={name} />;
  return (
    <>
      <Heading>{t.nav[name]}</Heading>
      <Here />
    </>
  );
}

function Coming({ name }: Readonly<{ name: PageName }>) {
  const program = useProgram(async () => {
    const pages = await programOf(name);
    here.value = { ...here.peek(), ...pages };
  });
  return <Waiting {...program} />;
}
