import COpenBLAS
import Testing

/// Both libraries link and compute.
struct LinkTests {
    @Test("OpenBLAS is linked: a product of two matrices by hand")
    func matrixProduct() {
        let (a, b) = ([1.0, 2, 3, 4], [5.0, 6, 7, 8])
        var c = [0.0, 0, 0, 0]
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, a, 2, b, 2, 0, &c, 2)
        #expect(c == [19, 22, 43, 50])
    }

    @Test("LAPACKE is linked: a Cholesky factor by hand, and an indefinite matrix named by its minor")
    func cholesky() {
        var a = [4.0, 2, 2, 10]
        #expect(LAPACKE_dpotrf(LAPACK_ROW_MAJOR, Int8(UInt8(ascii: "L")), 2, &a, 2) == 0)
        #expect(a[0] == 2 && a[2] == 1 && a[3] == 3)
        var indefinite = [1.0, 2, 2, 1]
        #expect(LAPACKE_dpotrf(LAPACK_ROW_MAJOR, Int8(UInt8(ascii: "L")), 2, &indefinite, 2) == 2)
    }
}
