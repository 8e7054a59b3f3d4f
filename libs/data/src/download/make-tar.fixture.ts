// cspell:words ustar
/**
 * A tar archive (ustar) with one folder, for tests.
 *
 * @param folder  Its name.
 * @param files  Contents by name.
 * @returns  The archive, not compressed.
 */
export function makeTar(folder: string, files: Record<string, Uint8Array>): Uint8Array {
  const entry = (name: string, type: string, content: Uint8Array): Uint8Array => {
    const block = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
    const write = (text: string, start: number): void => block.set(new TextEncoder().encode(text), start);
    write(name, 0);
    write('0000644\0', 100);
    write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    write(type, 156);
    write('ustar\x0000', 257);
    write('        ', 148);
    const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    block.set(content, 512);
    return block;
  };
  const entries = [
    entry(`${folder}/`, '5', new Uint8Array(0)),
    ...Object.entries(files).map(([name, content]) => entry(`${folder}/${name}`, '0', content)),
  ];
  return new Uint8Array(Buffer.concat([...entries, new Uint8Array(1024)]));
}
