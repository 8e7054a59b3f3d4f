import * as echarts from 'echarts';

/** The text of every chart. */
export const FONT = { fontFamily: 'system-ui, sans-serif', fontSize: 13 };

/**
 * Draws a chart without a screen.
 *
 * @param width  In pixels.
 * @param height  In pixels.
 * @param option  What to draw, as the chart library has it.
 * @returns  An `<svg>` element.
 */
export function renderSvg(width: number, height: number, option: echarts.EChartsCoreOption): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({ animation: false, textStyle: FONT, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
