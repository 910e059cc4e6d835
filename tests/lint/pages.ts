/**
 * The pages of the documentation: their files, headings and links.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** Pages at the project's root. */
const ROOT_PAGES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"];

/** Paths of all pages, from the project's root. */
export function pages(): string[] {
  return [...ROOT_PAGES, ...pagesIn("docs/")];
}

function pagesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return pagesIn(`${folder}${name}/`);
    return name.endsWith(".md") ? [`${folder}${name}`] : [];
  });
}

/** The page's text without what Markdown takes literally: fenced blocks, code and comments. */
function prose(markdown: string): string {
  return markdown
    .replaceAll(/^( *)(```+).*\n(?:.*\n)*?\1\2 *$/gm, "")
    .replaceAll(/<!--[^]*?-->/g, "")
    .replaceAll(/`[^`\n]*`/g, (code) => "x".repeat(code.length));
}

/** A link of a page. */
export interface PageLink {
  /** As the page has it: `guides/boot.md#ppp-at-boot`. */
  readonly href: string;
  /** Path from the project's root; the page itself for a link to one of its headings. */
  readonly path: string;
  /** What stands behind `#`. */
  readonly anchor: string | undefined;
}

/** The page's links to files of the project. */
export function linksOf(page: string, markdown: string): PageLink[] {
  const hrefs = [...prose(markdown).matchAll(/\]\(([^()\s]+)\)/g)].map(([, href]) => href!);
  return hrefs.filter((href) => !/^[a-z]+:/.test(href)).map((href) => {
    const [path, anchor] = href.split("#");
    const resolved = path === "" ? page : new URL(path!, `file:///${page}`).pathname.slice(1);
    return { href, path: resolved, anchor };
  });
}

/** The anchors of the page's headings, as GitHub makes them: the second of two equal headings ends with `-1`. */
export function anchorsOf(markdown: string): string[] {
  const counts = new Map<string, number>();
  const text = markdown.replaceAll(/^( *)(```+).*\n(?:.*\n)*?\1\2 *$/gm, "");
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => {
    const slug = heading!.toLowerCase().replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** Paths of files and folders of the project that the page names as code: `src/base/`, `tests/lint/rooms.ts`. */
export function pathsOf(markdown: string): string[] {
  const code = [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!);
  return code.filter((text) => /^(src|ffi|tests|docs|examples)\/[\w./-]*$/.test(text));
}
