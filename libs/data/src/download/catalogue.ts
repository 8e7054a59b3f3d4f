// cspell:words Foong Antoran Lobato
import type { RemoteFile } from './download-file.ts';

/** A data set that can be downloaded. */
export interface RemoteDataset {
  files: RemoteFile[];
  /** sha256 of the lines `SHA256  PATH` of all files in order; for sets of many small files. */
  treeSha256?: string;
  /** The one file is a .tar.gz, kept as its members; their sha256 by name, where known. */
  archiveMembers?: Record<string, string | undefined>;
}

/** The four files of the MNIST layout with the checksums of their published gzip bytes. */
function idxFiles(bases: readonly string[], checksums: Record<string, string>): RemoteFile[] {
  return Object.entries(checksums).map(([path, sha256]) => ({ path, sha256, urls: bases.map((base) => `${base}/${path}`) }));
}

/** Splits of Hernandez-Lobato and Adams (2015) and gap splits of Foong et al. (2019), as published with Antoran et al. (2020). */
const UCI_BASE =
  'https://raw.githubusercontent.com/cambridge-mlg/DUN/4fc85182f911d48c0de8b71f901866f42f7955e4/experiments/data/UCI_for_sharing';
const UCI_STANDARD_COUNT = 20;

function uci(folder: string, gapCount: number, treeSha256: string): RemoteDataset {
  const file = (kind: string, name: string, path = `${kind}/${name}`): RemoteFile => ({
    path,
    urls: [`${UCI_BASE}/${kind}/${folder}/data/${name}`],
  });
  const splits = (kind: string, count: number): RemoteFile[] =>
    Array.from({ length: count }, (_, k) => ['train', 'test'].map((part) => file(kind, `index_${part}_${k}.txt`))).flat();
  const tables = ['data.txt', 'index_features.txt', 'index_target.txt'].map((name) => file('standard', name, name));
  return { files: [...tables, ...splits('standard', UCI_STANDARD_COUNT), ...splits('gap', gapCount)], treeSha256 };
}

/** Data sets with a checksum of the published bytes; nothing without one is listed. */
export const CATALOGUE: Record<string, RemoteDataset> = {
  mnist: {
    // The authors' own host no longer serves the files; these two carry the same bytes.
    files: idxFiles(['https://ossci-datasets.s3.amazonaws.com/mnist', 'https://storage.googleapis.com/cvdf-datasets/mnist'], {
      'train-images-idx3-ubyte.gz': '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
      'train-labels-idx1-ubyte.gz': '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
      't10k-images-idx3-ubyte.gz': '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
      't10k-labels-idx1-ubyte.gz': 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
    }),
  },
  'fashion-mnist': {
    files: idxFiles(
      [
        'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com',
        'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion',
      ],
      {
        'train-images-idx3-ubyte.gz': '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
        'train-labels-idx1-ubyte.gz': 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
        't10k-images-idx3-ubyte.gz': '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
        't10k-labels-idx1-ubyte.gz': '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
      },
    ),
  },
  cifar10: {
    files: [
      {
        path: 'cifar-10-binary.tar.gz',
        urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
        sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
      },
    ],
    archiveMembers: {
      'data_batch_1.bin': 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
      'data_batch_2.bin': undefined,
      'data_batch_3.bin': undefined,
      'data_batch_4.bin': undefined,
      'data_batch_5.bin': undefined,
      'test_batch.bin': undefined,
    },
  },
  'uci-boston': uci('boston', 13, 'e9417ee1f596c5a69cf5c3f166f9f02767a0bad09922dfc9155cc56e721e9c6b'),
  'uci-concrete': uci('concrete', 8, 'c472ddaee28a64a24b705d6ce9d0c8837638979c1348f3014f29c27abf0826da'),
  'uci-energy': uci('energy', 8, '441d1e341c1dd75d507cc96a0dcc385ca1b3de3438a76df1ab53db6d64525671'),
  'uci-power': uci('power', 4, '4a59c2053c28a317f0646a61a8a18b6e34104bfb8693d80e279c51885e7325bb'),
  'uci-wine': uci('wine', 11, 'a29950850065d7335f63a10da22c95db1deb351a1636f0be52b5ced1146bb346'),
  'uci-yacht': uci('yacht', 6, '9fb0c91ad95e3ac8419b8010d9d062e2b4db504f1819b5a9ca378646e5d94d48'),
};

/** Names that `downloadDataset` knows. */
export const DOWNLOADABLE: readonly string[] = Object.keys(CATALOGUE);
