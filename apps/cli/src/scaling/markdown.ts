import { formatTable, type Cell } from '../terminal/table.ts';

/** A titled part of a report: prose, or rows. */
export type Section =
  | { readonly title: string; readonly lines: readonly string[] }
  | { readonly title: string; readonly header: readonly string[]; readonly rows: readonly (readonly Cell[])[] };

/**
 * Sections for a terminal.
 *
 * @param sections  In order.
 * @returns  Text, with no newline at the end.
 */
export function sectionsAsText(sections: readonly Section[]): string {
  return sections
    .map((section) => {
      const body = 'lines' in section ? section.lines.map((line) => `- ${line}`).join('\n') : formatTable(section.header, section.rows);
      return `${section.title}\n\n${body}`;
    })
    .join('\n\n');
}

/**
 * Sections as Markdown.
 *
 * @param title  Of the document.
 * @param picture  File name of a picture that stands first.
 * @param sections  In order.
 * @returns  Text, with no newline at the end.
 */
export function sectionsAsMarkdown(title: string, picture: string, sections: readonly Section[]): string {
  const parts = sections.map((section) => {
    const body = 'lines' in section ? section.lines.map((line) => `- ${line}`).join('\n') : table(section.header, section.rows);
    return `## ${section.title}\n\n${body}`;
  });
  return [`# ${title}`, `![${title}](${picture})`, ...parts].join('\n\n');
}

function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
