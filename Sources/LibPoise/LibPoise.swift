// The shared library itself: what PoiseC defines, linked with the flags in Package.swift. Nothing is written here.
@_exported import PoiseC
