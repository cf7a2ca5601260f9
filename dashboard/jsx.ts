/** The build turns the JSX of every file into calls of these. */
export { Fragment, h } from "preact";
