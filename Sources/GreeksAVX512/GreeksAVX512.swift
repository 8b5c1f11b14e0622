import VectorMath
import CKernels
