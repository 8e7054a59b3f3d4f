import { describe, expect, it } from 'vitest';
import { sectionsAsMarkdown, sectionsAsText } from './markdown.ts';

const sections = [
  { title: 'facts', lines: ['one', 'two'] },
  { title: 'rows', header: ['a', 'b'], rows: [[1, 'x|y']] },
];

describe('sections', () => {
  it('read the same on a terminal and in Markdown', () => {
    expect(sectionsAsText(sections)).toBe('facts\n\n- one\n- two\n\nrows\n\na  b\n-  ---\n1  x|y');
    const parts = ['# T', '![T](p.svg)', '## facts', '- one\n- two', '## rows', '| a | b |\n| --- | --- |\n| 1 | x\\|y |'];
    expect(sectionsAsMarkdown('T', 'p.svg', sections)).toBe(parts.join('\n\n'));
  });
});
