import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ChartTable } from './chart-data.ts';

/**
 * The numbers of a chart, folded away; the table is made when it is opened.
 *
 * @param props  Its parts.
 * @param props.title  Of the chart.
 * @param props.table  Makes the table.
 * @returns  A disclosure.
 */
export function ChartDetails({ title, table }: { title: string; table: () => ChartTable }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="chart-details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Numbers<span class="hidden"> of the chart: {title}</span>
      </summary>
      {isOpen && <Table title={title} table={table()} />}
    </details>
  );
}

function Table({ title, table: { header, rows } }: { title: string; table: ChartTable }): JSX.Element {
  return (
    <div class="scrolling" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table>
        <thead>
          <tr>
            {header.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([first, ...rest], i) => (
            <tr key={i}>
              <th scope="row">{first}</th>
              {rest.map((value, k) => (
                <td key={k}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
