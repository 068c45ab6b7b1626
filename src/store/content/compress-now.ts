import { constants, gzipSync } from 'node:zlib';
import { ZstdCompress } from 'minizlib';
import { type Compress, GZIP_LEVEL, ZSTD_LEVEL } from './envelope.ts';

const ZSTD_SETTINGS = {
  // What most compressed pieces fit into; longer ones come in parts.
  chunkSize: 64 * 1024,
  // Each write is a whole frame.
  flush: constants.ZSTD_e_end,
  params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
};

let zstd: ZstdCompress | undefined;

/**
 * Compression while the thread waits. One compressor of zstd is kept for all content of the thread: making one takes half
 * a megabyte from the kernel and gives it back, which for a small file costs more than all else.
 */
export const compressNow: Compress = {
  gzip: (plain) => gzipSync(plain, { level: GZIP_LEVEL }),
  zstd: (plain) => {
    zstd ??= new ZstdCompress(ZSTD_SETTINGS);
    try {
      zstd.write(plain);
      const frame = zstd.read();
      if (frame === null) throw new Error('zstd gave nothing');
      return frame;
    } catch (error) {
      // What it holds of this content must not end up in the next one.
      zstd = undefined;
      throw error;
    }
  },
};
