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

/// The longest sum that `gemm` adds up in one go on every processor. Longer ones it splits by the size of the first-level
/// cache, which would make results differ between otherwise equal machines; so they are split here, in equal parts.
const INNER: usize = 512;

/// `product` = `left` · `right`; `product` is row-major. Panics when the shapes do not fit.
pub(super) fn multiply(product: &mut [f32], left: Matrix<'_>, right: Matrix<'_>) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    assert_eq!(inner, right.rows, "the left matrix's columns meet the right one's rows");
    assert_eq!(Some(product.len()), rows.checked_mul(columns), "the product is {rows} × {columns}");
    let part = inner.div_ceil(inner.div_ceil(INNER).max(1)).max(1);
    for start in (0..inner).step_by(part) {
        let part = part.min(inner - start);
        let left_data = &left.data[start * left.column_stride..];
        let right_data = &right.data[start * right.row_stride..];
        // SAFETY: `gemm` reads left_data[i * row_stride + j * column_stride] for i < rows and j < part, right_data
        // likewise, and reads and writes product[i * columns + j] for i < rows and j < columns. `Matrix` guarantees that
        // the first two lie within their slices (start + part <= inner), the assertion above that the last does, and
        // the borrows that `product` overlaps neither.
        unsafe {
            gemm(
                rows,
                columns,
                part,
                product.as_mut_ptr(),
                1,
                columns.cast_signed(),
                start > 0,
                left_data.as_ptr(),
                left.column_stride.cast_signed(),
                left.row_stride.cast_signed(),
                right_data.as_ptr(),
                right.column_stride.cast_signed(),
                right.row_stride.cast_signed(),
                1.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_equal_their_definition() {
        for (rows, inner, columns) in [(1, 1, 1), (3, 5, 2), (64, 64, 32), (17, 512, 10), (9, 513, 11), (5, 1300, 33)] {
            let number = |at: usize| (at * 7919 % 1013) as f32 / 1013.0 - 0.5;
            let left: Vec<f32> = (0..rows * inner).map(number).collect();
            let right: Vec<f32> = (0..inner * columns).map(|at| number(at + 5)).collect();
            let exact = |row: usize, column: usize| -> f64 {
                (0..inner).map(|k| f64::from(left[row * inner + k]) * f64::from(right[k * columns + column])).sum()
            };
            // The same product, with each side stored as it is and transposed.
            let turned = |data: &[f32], rows: usize, columns: usize| -> Vec<f32> {
                (0..rows * columns).map(|at| data[at % rows * columns + at / rows]).collect()
            };
            let (left_turned, right_turned) = (turned(&left, rows, inner), turned(&right, inner, columns));
            for left in [Matrix::new(&left, rows, inner), Matrix::new(&left_turned, inner, rows).transposed()] {
                for right in
                    [Matrix::new(&right, inner, columns), Matrix::new(&right_turned, columns, inner).transposed()]
                {
                    let mut product = vec![f32::NAN; rows * columns];
                    multiply(&mut product, left, right);
                    for (at, &found) in product.iter().enumerate() {
                        let exact = exact(at / columns, at % columns);
                        assert!((f64::from(found) - exact).abs() < 1e-4, "{rows} {inner} {columns}: {found} {exact}");
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "columns meet")]
    fn shapes_that_do_not_fit_are_refused() {
        multiply(&mut [0.0; 4], Matrix::new(&[0.0; 6], 2, 3), Matrix::new(&[0.0; 4], 2, 2));
    }
}
