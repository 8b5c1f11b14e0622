// GreeksKernel
