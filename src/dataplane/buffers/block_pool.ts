/**
 * Memory for queued packets: blocks of four sizes in one arena that never moves, so that system calls can use frames
 * in it by address.
 *
 * The arena consists of pages of 64 KiB. A page holds blocks of one size for as long as one of them is in use.
 *
 * @module
 */

const PAGE_BITS = 16;
const PAGE_BYTES = 1 << PAGE_BITS;
/** Block sizes: small and full Ethernet frames, jumbo frames, the longest datagram. */
const SIZES = [512, 2048, 16384, PAGE_BYTES] as const;
/** Log2 of the smallest size, which is the unit of the free list. */
const UNIT_BITS = 9;
const NONE = -1;

/** Allocates blocks. The offset of its first byte identifies a block. */
export class BlockPool {
  /** The arena. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For each free block, the next free one of its page, by unit. */
  readonly #nextBlock: Int32Array;
  /** For each page: index of its block size, number of blocks in use, first free block. */
  readonly #pageSize: Int8Array;
  readonly #pageUsed: Int32Array;
  readonly #pageFree: Int32Array;
  /** Pages with free blocks of the same size, doubly linked. Unused pages use `#nextPage` alone. */
  readonly #nextPage: Int32Array;
  readonly #previousPage: Int32Array;
  readonly #partial: Int32Array = new Int32Array(SIZES.length).fill(NONE);
  #unusedPages = NONE;
  #used = 0;

  /** Reserves `capacity` bytes, rounded up to whole pages. The kernel provides the pages on first use. */
  constructor(capacity: number) {
    const pages = Math.max(1, Math.ceil(capacity / PAGE_BYTES));
    this.bytes = new Uint8Array(pages * PAGE_BYTES);
    this.#nextBlock = new Int32Array(pages << (PAGE_BITS - UNIT_BITS));
    this.#pageSize = new Int8Array(pages);
    this.#pageUsed = new Int32Array(pages);
    this.#pageFree = new Int32Array(pages);
    this.#nextPage = new Int32Array(pages);
    this.#previousPage = new Int32Array(pages);
    for (let page = pages - 1; page >= 0; page--) {
      this.#nextPage[page] = this.#unusedPages;
      this.#unusedPages = page;
    }
  }

  /** Number of blocks in use. */
  get used(): number {
    return this.#used;
  }

  /** Allocates a block of at least `bytes` (up to 65536). Returns -1 if no memory is left. */
  allocate(bytes: number): number {
    let size = 0;
    while (size < SIZES.length && SIZES[size]! < bytes) size++;
    if (size === SIZES.length) return NONE;
    let page = this.#partial[size]!;
    if (page === NONE) {
      page = this.#openPage(size);
      if (page === NONE) return NONE;
    }
    const block = this.#pageFree[page]!;
    const next = this.#nextBlock[block >> UNIT_BITS]!;
    this.#pageFree[page] = next;
    this.#pageUsed[page]!++;
    this.#used++;
    if (next === NONE) this.#unlink(page, size);
    return block;
  }

  /** Frees a block. */
  free(block: number): void {
    const page = block >> PAGE_BITS;
    const size = this.#pageSize[page]!;
    const next = this.#pageFree[page]!;
    this.#nextBlock[block >> UNIT_BITS] = next;
    this.#pageFree[page] = block;
    this.#used--;
    if (next === NONE) this.#link(page, size);
    if (--this.#pageUsed[page]! > 0) return;
    this.#unlink(page, size);
    this.#nextPage[page] = this.#unusedPages;
    this.#unusedPages = page;
  }

  /** Divides an unused page into blocks of the size. */
  #openPage(size: number): number {
    const page = this.#unusedPages;
    if (page === NONE) return NONE;
    this.#unusedPages = this.#nextPage[page]!;
    this.#pageSize[page] = size;
    const start = page * PAGE_BYTES;
    let next = NONE;
    for (let block = start + PAGE_BYTES - SIZES[size]!; block >= start; block -= SIZES[size]!) {
      this.#nextBlock[block >> UNIT_BITS] = next;
      next = block;
    }
    this.#pageFree[page] = next;
    this.#link(page, size);
    return page;
  }

  #link(page: number, size: number): void {
    const next = this.#partial[size]!;
    this.#nextPage[page] = next;
    this.#previousPage[page] = NONE;
    if (next !== NONE) this.#previousPage[next] = page;
    this.#partial[size] = page;
  }

  #unlink(page: number, size: number): void {
    const next = this.#nextPage[page]!;
    const previous = this.#previousPage[page]!;
    if (next !== NONE) this.#previousPage[next] = previous;
    if (previous !== NONE) this.#nextPage[previous] = next;
    else this.#partial[size] = next;
  }
}
