import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { t } from "./messages.ts";
import { useProgram, Waiting } from "./parts.tsx";
import type { PageName } from "./route.ts";
import { Heading } from "./shell.tsx";

type Pages = Partial<Readonly<Record<PageName, () => JSX.Element>>>;
type Program = () => Promise<Pages>;

const further: Program = () => import("./pages/further.ts");

/** Pages with a separate program; `further` has all others. */
const PROGRAMS: Partial<Readonly<Record<PageName, Program>>> = {
  now: () => import("./pages/now.tsx").then(({ NowPage }) => ({ now: NowPage })),
  me: () => import("./pages/me.tsx").then(({ MePage }) => ({ me: MePage })),
};

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
    const pages = await (PROGRAMS[name] ?? further)();
    here.value = { ...here.peek(), ...pages };
  });
  return <Waiting {...program} />;
}
