//! Matrix products by the `gemm` crate, on the calling thread: the one place where that crate's pointers are.
#![allow(unsafe_code)] // `gemm` takes raw pointers; the lengths they need are checked here, before the call.
use gemm::{Parallelism, gemm};

/// A row-major matrix, or the transpose of one.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows` × `columns` numbers. Panics when there are not that many: shapes follow from the recipe alone.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        assert_eq!(Some(data.len()), rows.checked_mul(columns), "a {rows} × {columns} matrix");
        Matrix { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub(super) fn transposed(self) -> Matrix<'a> {
        Matrix {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `product` = `left` · `right`; `product` is row-major. Panics when the shapes do not fit.
pub(super) fn multiply(product: &mut [f32], left: Matrix<'_>, right: Matrix<'_>) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    assert_eq!(inner, right.rows, "the left matrix's columns meet the right one's rows");
    assert_eq!(Some(product.len()), rows.checked_mul(columns), "the product is {rows} × {columns}");
    // SAFETY: `gemm` reads left[i * row_stride + j * column_stride] for i < rows, j < inner, right likewise, and writes
    // product[i * columns + j] for i < rows, j < columns. `Matrix` guarantees that the first two lie within their slices,
    // the assertion above that the last does, and the borrows that `product` overlaps neither. `read_dst` is false, so
    // old contents do not matter.
    unsafe {
        gemm(
            rows,
            columns,
            inner,
            product.as_mut_ptr(),
            1,
            columns as isize,
            false,
            left.data.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
