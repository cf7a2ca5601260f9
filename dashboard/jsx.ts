/** What the build makes of JSX calls these, in each file. */
export { Fragment, h } from "preact";
